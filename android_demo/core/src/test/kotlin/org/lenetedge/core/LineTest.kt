package org.lenetedge.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

class LineTest {
    private fun upright(x: Double, top: Double, bottom: Double) =
        listOf(Point(x.toFloat(), top.toFloat()), Point(x.toFloat(), bottom.toFloat()))

    private fun line(vararg strokes: List<Point>): Line = checkNotNull(lineOf(Drawing(strokes.toList())))

    private fun inkedRows(line: Line) = (0 until FIELD).filter { row ->
        (0 until line.ink.width).any { line.ink[row, it] > 127 }
    }

    @Test
    fun onesOfAnyHeightAreTwentyRowsTallInTheMiddle() {
        for (height in listOf(0.1, 0.25, 0.5)) {
            val ones = Array(3) { upright(it * height, 0.02, 0.02 + height) }
            assertEquals("$height", (6..25).toList(), inkedRows(line(*ones)))
        }
    }

    @Test
    fun aBarDoesNotCountForTheSize() {
        val ones = arrayOf(upright(0.1, 0.1, 0.3), upright(0.3, 0.1, 0.3))
        val bar = listOf(Point(0.4f, 0.2f), Point(0.5f, 0.2f))
        assertEquals(inkedRows(line(*ones)), inkedRows(line(*ones, bar, upright(0.7, 0.19, 0.2))))
    }

    @Test
    fun strokesThatShareColumnsAreOneFigure() {
        // A five's bar: apart from its body it is low, and would not count; its body alone would be too low.
        val body = listOf(Point(0.1f, 0.2f), Point(0.2f, 0.3f))
        val bar = listOf(Point(0.1f, 0.1f), Point(0.2f, 0.1f))
        val rows = inkedRows(line(body, bar))
        assertEquals(6 to 25, rows.first() to rows.last())
    }

    @Test
    fun aLineHoweverLongHasBoundedColumnsAndADotIsDrawn() {
        val long = line(*Array(300) { upright(it.toDouble(), 0.0, 1.0) })
        assertTrue("got ${long.ink.width}", long.ink.width in WIDEST - 1..WIDEST)
        val dot = line(listOf(Point(0.3f, 0.2f)))
        assertEquals(255, (0 until FIELD * dot.ink.width).maxOf { dot.ink.values[it].toInt() and 0xff })
        assertNull(lineOf(Drawing(emptyList())))
        assertNull(lineOf(Drawing(listOf(emptyList()))))
    }

    @Test
    fun aTapThatTremblesStaysADot() {
        val tap = line(listOf(Point(0.3f, 0.2f), Point(0.301f, 0.201f)))
        assertTrue("got ${inkedRows(tap)}", inkedRows(tap).size <= 4)
    }

    @Test
    fun aBoxIsWhereTheDigitWasWritten() {
        val written = line(upright(0.2, 0.1, 0.3), upright(0.5, 0.1, 0.3), upright(0.8, 0.1, 0.3))
        val columns = (0 until written.ink.width).filter { written.ink[16, it] > 127 }
        // The middle one, which is drawn symmetrically around x = 0.5; a box's side is a pixel off at most.
        val middle = columns.filter { it in written.ink.width / 3..2 * written.ink.width / 3 }
        val digit = ReadDigit(1, 1.0, middle.first().toDouble(), middle.last() + 1.0)
        val box = written.boxOf(digit)
        val pixel = 0.2f / 17
        assertEquals(0.5f, (box.left + box.right) / 2, pixel)
        assertEquals(0.2f, (box.top + box.bottom) / 2, 1e-6f)
        assertTrue(box.top < 0.1f && box.bottom > 0.3f)
    }

    @Test
    fun aThousandStrokesOfTheWholeCanvasAreALine() {
        assertNotNull(lineOf(Drawing(List(1_000) { upright(it / 1_000.0, -0.5, 1.5) })))
    }
}
