package org.lenetedge.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.nio.ByteBuffer

class LineReaderTest {
    private val golden = Fixtures.strings
    private val offer = Offer(35, gpuListed = true)
    private val request = Request(Model.INT8_QAT, Delegate.XNNPACK, 1, Task.LINE)

    private fun reader(runtime: Runtime) =
        Reader(runtime, ByteBuffer.allocate(0), golden, request, offer, Unwatched)

    @Test
    fun theGoldenLinesAreReadInPiecesAsTheyAreInPython() {
        reader(FakeWide(golden)).use { reader ->
            for (line in golden.lines) {
                val reading = LineReader(reader, golden).read(line.ink)
                assertEquals(line.name, line.read.text, reading.string.text)
                assertEquals(line.name, line.read.probability, reading.string.probability, 1e-8)
                assertEquals(line.name, line.read.probability >= golden.unsureBelow, reading.sure)
                assertTrue(reading.nanos > 0)
                val first = reading.string.digits.first()
                assertEquals(maxOf(0.0, line.read.digits[0].left - FIELD / 2), first.left, 1e-5)
                assertTrue(reading.string.digits.last().right <= line.ink.width)
            }
        }
    }

    @Test
    fun aLineJustBelowTheThresholdIsUnsure() {
        for (line in golden.lines) {
            val stricter = golden.withThreshold(line.read.probability + 1e-6)
            reader(FakeWide(golden)).use { assertEquals(false, LineReader(it, stricter).read(line.ink).sure) }
            val laxer = golden.withThreshold(line.read.probability - 1e-6)
            reader(FakeWide(golden)).use { assertEquals(true, LineReader(it, laxer).read(line.ink).sure) }
        }
    }

    private fun GoldenStrings.withThreshold(threshold: Double) =
        GoldenStrings(file, sha256, bytes, threshold, columns, output, lines, hard)

    @Test
    fun aNetOutsideTheLimitsIsNotTrusted() {
        val error = assertThrows(NoAnswer::class.java) { reader(FakeWide(golden, spoil = 60)) }
        assertEquals(Reason.Deviates(golden.lines.size, golden.lines.size), error.reason)
    }

    @Test
    fun piecesContinueEachOthersWindows() {
        val width = 2 * golden.columns
        val line = Ink(width, FIELD, ByteArray(FIELD * width) { (7 * it).toByte() })
        val pieces = piecesOf(line, golden.columns)
        assertTrue("expected more than one piece", pieces.size > 1)
        val step = STEP * windows(golden.columns)
        for (row in 0 until FIELD) {
            for (column in step until golden.columns) {
                val next = pieces[1][row * golden.columns + column - step]
                assertEquals(pieces[0][row * golden.columns + column], next)
            }
        }
        assertThrows(IllegalArgumentException::class.java) { piecesOf(Ink(40, 28, ByteArray(1120)), 112) }
    }

    @Test
    fun itsOwnScoresAreWithinItsLimitsAndOneJustBeyondIsFound() {
        val pieces = golden.inputs.map { FakeWide(golden).answers(it) }
        assertEquals(GoldenVerdict(golden.lines.size, 0, golden.lines.size), golden.judge(pieces))
        val (row, score) = 7 to 4
        val limits =
            listOf(golden.lines[0].low[row][score] - 1, golden.lines[0].high[row][score] + 1, Float.NaN)
        for (beyond in limits) {
            val spoilt = pieces.map { it.clone() }.also { it[0][row * CLASSES + score] = beyond }
            val all = golden.lines.size
            assertEquals(GoldenVerdict(all, 1, all - 1), golden.judge(spoilt))
        }
    }

    @Test
    fun theReleasedFileIsWhatStringsJsonPromises() {
        val content = Fixtures.content(golden.file)
        assertEquals(content, checked(golden, content))
        assertEquals(golden.output.count, CLASSES * windows(golden.columns))
    }

    @Test
    fun anotherFileIsNamedSo() {
        for (text in listOf(
            "",
            "[1]",
            "{\"format\": 2}",
            Fixtures.goldenText,
            Fixtures.stringsText.take(9000),
        )) {
            val error = assertThrows(IllegalArgumentException::class.java) { GoldenStrings.parse(text) }
            assertTrue(error.message, error.message.orEmpty().startsWith("expected strings.json"))
        }
    }

    @Test
    fun aCheckOfLinesIsReportedWithTimesAndWithoutAnswers() {
        val check = check({ reader(FakeWide(golden)) })
        assertEquals(GoldenVerdict(golden.lines.size, 0, golden.lines.size), check.verdict)
        val report = ResultsJson(Machine("Android", "arm64-v8a", "Tensor", 8), "2.16.1", "0.1.0") { "$it" }
            .of("2026-11-23T14:00:00Z", listOf(check), emptyList())
        assertEquals(0, report.getJSONArray("answers").length())
        val result = report.getJSONArray("results").getJSONObject(0)
        assertEquals(golden.title, result.getString("model"))
        assertEquals(
            golden.sha256,
            report.getJSONObject("models").getJSONObject(golden.title).getString("sha256"),
        )
    }
}
