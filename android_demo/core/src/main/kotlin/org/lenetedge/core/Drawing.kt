package org.lenetedge.core

import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.sqrt

/** A place on the canvas, 0 to 1 from its left and its top; a finger may leave the canvas. */
data class Point(val x: Float, val y: Float)

/** Strokes of one or more points each, in the order in which they were begun. */
data class Drawing(val strokes: List<List<Point>>) {
    val isEmpty: Boolean get() = strokes.all { it.isEmpty() }
}

/** The pen's width in the picture's box of 20 pixels: in the middle of the range of MNIST's digits. */
private const val PEN = 2.8
private const val BOX = 20.0

/** Pixels of ink per pixel of the picture: fine enough for means over areas to be smooth. */
private const val FINE = 6

/** Drawings smaller than this share of the canvas are a dot, and are not enlarged to a digit's size. */
private const val SMALLEST = 0.08

/**
 * Returns the drawing as ink, its longer side 120 pixels, or null if it is empty.
 *
 * Relative to the drawing, the pen is as wide as MNIST's, however large the drawing and thick the line on the
 * screen: the net was trained on that, and strokes give the line's middle exactly.
 */
fun inkOf(drawing: Drawing): Ink? {
    val points = drawing.strokes.flatten()
    if (points.isEmpty()) return null
    val left = points.minOf { it.x }
    val top = points.minOf { it.y }
    val width = points.maxOf { it.x } - left
    val height = points.maxOf { it.y } - top
    val scale = (BOX - PEN) * FINE / maxOf(width.toDouble(), height.toDouble(), SMALLEST)
    val sheet = Sheet(side(width * scale), side(height * scale))
    for (stroke in drawing.strokes) {
        val placed = stroke.map { doubleArrayOf((it.x - left) * scale + EDGE, (it.y - top) * scale + EDGE) }
        placed.forEachIndexed { i, point -> sheet.line(placed[maxOf(i - 1, 0)], point) }
    }
    return sheet.ink()
}

private const val RADIUS = PEN * FINE / 2
private const val EDGE = RADIUS + 1

private fun side(extent: Double): Int = ceil(extent + 2 * EDGE).toInt()

/** Ink being drawn: each pixel is covered by how far the nearest line reaches over its middle. */
private class Sheet(private val width: Int, private val height: Int) {
    private val values = ByteArray(width * height)

    fun line(a: DoubleArray, b: DoubleArray) {
        val rows = span(a[1], b[1], height)
        val columns = span(a[0], b[0], width)
        for (row in rows) {
            for (column in columns) {
                val cover = RADIUS + 0.5 - distance(column + 0.5, row + 0.5, a, b)
                if (cover > 0) darken(row * width + column, (255 * minOf(cover, 1.0)).toInt())
            }
        }
    }

    fun ink() = Ink(width, height, values)

    private fun darken(place: Int, value: Int) {
        if (value > (values[place].toInt() and 0xff)) values[place] = value.toByte()
    }

    private fun span(from: Double, to: Double, size: Int): IntRange {
        val first = floor(minOf(from, to) - EDGE).toInt()
        val last = ceil(maxOf(from, to) + EDGE).toInt()
        return maxOf(first, 0)..minOf(last, size - 1)
    }
}

/** The distance of (x, y) from the line between [a] and [b], which may be one point. */
private fun distance(x: Double, y: Double, a: DoubleArray, b: DoubleArray): Double {
    val dx = b[0] - a[0]
    val dy = b[1] - a[1]
    val length = dx * dx + dy * dy
    val along = if (length == 0.0) 0.0 else (((x - a[0]) * dx + (y - a[1]) * dy) / length).coerceIn(0.0, 1.0)
    val ex = x - a[0] - along * dx
    val ey = y - a[1] - along * dy
    return sqrt(ex * ex + ey * ey)
}
