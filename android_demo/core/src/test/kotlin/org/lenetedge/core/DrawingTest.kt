package org.lenetedge.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import kotlin.math.cos
import kotlin.math.sin

class DrawingTest {
    private fun drawing(vararg points: Pair<Double, Double>) =
        Drawing(listOf(points.map { (x, y) -> Point(x.toFloat(), y.toFloat()) }))

    private fun seven(scale: Double, left: Double = 0.0) =
        drawing(left to 0.0, left + 0.25 * scale to 0.0, left + 0.125 * scale to 0.5 * scale)

    private fun picture(drawing: Drawing): ByteArray = checkNotNull(inkOf(drawing)?.let { pictureOf(it) })

    private fun ByteArray.at(row: Int, column: Int) = this[row * PICTURE + column].toInt() and 0xff

    @Test
    fun nothingDrawnIsNoInk() {
        assertNull(inkOf(Drawing(emptyList())))
        assertNull(inkOf(Drawing(listOf(emptyList()))))
        assertTrue(Drawing(listOf(emptyList())).isEmpty)
    }

    @Test
    fun aDigitIsTheSamePictureWhereverAndHoweverLargeItIsDrawn() {
        val large = picture(seven(2.0))
        assertArrayEquals(large, picture(seven(1.0)))
        assertArrayEquals(large, picture(seven(0.5, left = 0.25)))
    }

    @Test
    fun theBoxIsTwentyPixelsAndThePenThreeAtMost() {
        val bar = picture(drawing(0.1 to 0.2, 0.1 to 0.9))
        val rows = (0 until PICTURE).filter { row -> (0 until PICTURE).any { bar.at(row, it) > 0 } }
        assertEquals(20, rows.last() - rows.first() + 1)
        val inked = (0 until PICTURE).sumOf { bar.at(16, it) } / 255.0
        assertEquals(2.8, inked, 0.3)
    }

    @Test
    fun aLineInTheMiddleOfNowhereKeepsItsDirection() {
        val slash = picture(drawing(0.9 to 0.1, 0.1 to 0.9))
        for (row in 10..21) {
            assertEquals(255, maxOf(slash.at(row, 31 - row), slash.at(row, 32 - row)))
            assertEquals(0, slash.at(row, 26 - row))
        }
    }

    @Test
    fun aLineIsDrawnToBothItsEnds() {
        val line = checkNotNull(inkOf(drawing(0.25 to 0.5, 0.75 to 0.5)))
        val inked = (0 until line.width).filter { line[line.height / 2, it] > 0 }
        assertEquals(inked.first(), line.width - 1 - inked.last())
    }

    @Test
    fun aTapIsADotAndNotADigit() {
        val dot = checkNotNull(inkOf(drawing(0.5 to 0.5)))
        assertTrue(dot.width < 25 && dot.height < 25)
        val two = checkNotNull(inkOf(drawing(0.5 to 0.5, 0.504 to 0.5)))
        assertTrue(two.width < 30)
    }

    @Test
    fun twentyThousandPointsOfTenFingersAreDrawnInBoundedMemory() {
        val fingers = List(10) { finger ->
            List(2_000) {
                val x = 0.5 + 0.6 * cos(it * 0.1 * (finger + 1))
                Point(x.toFloat(), (0.5 + 0.6 * sin(it * 0.07)).toFloat())
            }
        }
        val ink = checkNotNull(inkOf(Drawing(fingers)))
        assertTrue(ink.width <= 125 && ink.height <= 125)
        assertEquals(PICTURE * PICTURE, picture(Drawing(fingers)).size)
    }
}
