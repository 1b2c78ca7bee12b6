package org.lenetedge.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.nio.ByteBuffer

class GoldenTest {
    private val golden = Fixtures.golden

    @Test
    fun itHasPicturesOfAllDigitsAndOfNone() {
        assertEquals(23, golden.pictures.size)
        assertEquals((0..9).toSet(), golden.pictures.mapNotNull { it.label }.toSet())
        val others = golden.pictures.filter { it.label == null }
        assertEquals(listOf("blank", "full", "noise"), others.map { it.name })
    }

    @Test
    fun everyModelOfTheAppHasAThreshold() {
        for (model in Model.values()) assertTrue(model.file, golden.of(model).unsureBelow in 0.5..1.0)
    }

    @Test
    fun itsOwnScoresAreWithinItsLimits() {
        for (model in Model.values()) {
            val file = golden.of(model)
            assertEquals(GoldenVerdict(23, outside = 0, same = 23), file.judge(file.scores))
        }
    }

    @Test
    fun aScoreJustBeyondItsLimitIsFound() {
        val file = golden.of(Model.INT8)
        for (beyond in listOf(file.low[7][4] - 1, file.high[7][4] + 1, Float.NaN)) {
            val rows = file.scores.map { it.clone() }
            rows[7][4] = beyond
            assertEquals(GoldenVerdict(23, outside = 1, same = 22), file.judge(rows))
        }
    }

    @Test
    fun anotherFileIsNamedSo() {
        for (text in listOf("", "[1]", "{\"format\": 2}", Fixtures.goldenText.take(9000))) {
            val error = assertThrows(IllegalArgumentException::class.java) { Golden.parse(text) }
            assertTrue(error.message, error.message.orEmpty().startsWith("expected golden.json"))
        }
    }

    @Test
    fun theReleasedModelsAreWhatItPromises() {
        for (model in Model.values()) {
            Fixtures.content(model).let {
                assertEquals(it, checked(golden.of(model), it))
            }
        }
    }

    @Test
    fun aModelThatIsMissingTruncatedOrAnotherIsNamedSo() {
        val content = Fixtures.content(Model.INT8)
        val truncated = ByteBuffer.wrap(content.array().copyOf(content.capacity() - 1))
        val another = ByteBuffer.wrap(content.array().clone().also { it[5000] = (it[5000] + 1).toByte() })
        assertEquals(BadModel.Fault.MISSING, fault(null))
        assertEquals(BadModel.Fault.TRUNCATED, fault(truncated))
        assertEquals(BadModel.Fault.ANOTHER, fault(another))
        assertEquals(BadModel.Fault.ANOTHER, fault(Fixtures.content(Model.FLOAT32)))
    }

    private fun fault(content: ByteBuffer?) =
        assertThrows(BadModel::class.java) { checked(golden.of(Model.INT8), content) }.fault
}
