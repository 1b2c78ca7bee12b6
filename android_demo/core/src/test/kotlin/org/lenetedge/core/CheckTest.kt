package org.lenetedge.core

import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.nio.ByteBuffer

class CheckTest {
    private val golden = Fixtures.golden
    private val model = Model.INT8_QAT
    private val watch = object : Watch {
        override fun trying(delegate: Delegate) = Unit

        override fun survived(delegate: Delegate) = Unit
    }

    private fun check(runtime: FakeRuntime, progress: (Int) -> Unit = {}) = check(
        {
            Reader(
                runtime,
                ByteBuffer.allocate(0),
                golden.of(model),
                Request(model, Delegate.GPU, 2),
                Offer(35, true),
                watch,
            )
        },
        progress,
    )

    private fun json(check: Check, vararg answers: Answers): JSONObject {
        val machine = Machine("Android 15 (API level 35)", "arm64-v8a", "Tensor", 8, board = "Pixel")
        return ResultsJson(machine, "2.16.1", "0.1.0") { "why: $it" }
            .of("2026-11-23T14:00:00Z", listOf(check), answers.toList())
            .let { JSONObject(it.toString()) }
    }

    @Test
    fun itLoadsAFewTimesAndClosesEach() {
        val runtime = FakeRuntime(golden, model, emptyMap())
        val progress = mutableListOf<Int>()
        val check = check(runtime) { progress += it }
        assertEquals(GoldenVerdict(23, outside = 0, same = 23), check.verdict)
        assertEquals((0 until LOADS).toList(), progress)
        assertEquals(LOADS, check.loads.size)
        assertEquals(LOADS, check.loading.samples)
        assertEquals(1.5, checkNotNull(check.invoke).p99, 0.0)
        assertEquals(List(LOADS) { 1 }, runtime.open.map { it.closings })
    }

    @Test
    fun aReportTellsWhatReallyRan() {
        val fates = mapOf(Delegate.GPU to Fate.DEVIATES, Delegate.XNNPACK to Fate.TAKES_SOME)
        val report = json(check(FakeRuntime(golden, model, fates)))
        val result = report.getJSONArray("results").getJSONObject(0)
        assertEquals("lenet5_int8_qat", result.getString("model"))
        assertEquals("gpu", result.getString("asked"))
        assertEquals("XNNPACK", result.getString("delegate"))
        assertEquals("why: Deviates(pictures=2, of=23)", result.getString("reason"))
        assertEquals(15, result.getInt("taken"))
        assertEquals(18, result.getInt("nodes"))
        assertEquals(2, result.getInt("threads"))
        assertEquals(
            golden.of(model).sha256,
            report.getJSONObject("models").getJSONObject("lenet5_int8_qat").getString("sha256"),
        )
    }

    @Test
    fun quantisedScoresAreToldAsTheyAreStored() {
        val report = json(check(FakeRuntime(golden, model, emptyMap())))
        val answers = report.getJSONArray("answers").getJSONObject(0)
        assertEquals("golden", answers.getString("pictures"))
        assertEquals("uint8", answers.getString("type"))
        assertEquals(0.00390625, answers.getDouble("scale"), 0.0)
        val rows = answers.getJSONArray("scores")
        assertEquals(23, rows.length())
        val wanted = golden.of(model).scores[5].map { it.toInt() }
        assertEquals(wanted, List(10) { rows.getJSONArray(5).getInt(it) })
        assertTrue("12.0 is no integer", '.' !in rows.toString())
    }

    @Test
    fun floatsAreToldInNineDigitsAndWhatIsNoNumberAsNull() {
        val check = check(FakeRuntime(golden, model, emptyMap()))
        val end = TensorEnd(TensorType.FLOAT32, 2)
        val row = floatArrayOf(0.1f, Float.NaN)
        val answers =
            Answers(golden.of(Model.FLOAT32), check.opening, end, Pictures.TEST_DIGITS, listOf(row), 1.5)
        val told = json(check, answers).getJSONArray("answers").getJSONObject(1)
        assertEquals("test digits", told.getString("pictures"))
        assertEquals("0.100000001", told.getJSONArray("scores").getJSONArray(0).get(0).toString())
        assertTrue(told.getJSONArray("scores").getJSONArray(0).isNull(1))
        assertEquals("float32", told.getString("type"))
    }
}
