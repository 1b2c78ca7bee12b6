package org.lenetedge.core

import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.sqrt

/** Ink being drawn with a pen of [radius] pixels: each is covered by how far the nearest line reaches over its middle. */
internal class Sheet(private val width: Int, private val height: Int, private val radius: Double) {
    private val values = ByteArray(width * height)

    /** Draws [strokes]; [placed] gives a point's column and row. What lies outside is left out. */
    fun draw(strokes: List<List<Point>>, placed: (Point) -> DoubleArray) {
        for (stroke in strokes) {
            val points = stroke.map(placed)
            points.forEachIndexed { i, point -> line(points[maxOf(i - 1, 0)], point) }
        }
    }

    fun ink() = Ink(width, height, values)

    private fun line(a: DoubleArray, b: DoubleArray) {
        val rows = span(a[1], b[1], height)
        val columns = span(a[0], b[0], width)
        for (row in rows) {
            for (column in columns) {
                val cover = radius + 0.5 - distance(column + 0.5, row + 0.5, a, b)
                if (cover > 0) darken(row * width + column, (255 * minOf(cover, 1.0)).toInt())
            }
        }
    }

    private fun darken(place: Int, value: Int) {
        if (value > (values[place].toInt() and 0xff)) values[place] = value.toByte()
    }

    private fun span(from: Double, to: Double, size: Int): IntRange {
        val first = floor(minOf(from, to) - radius - 1).toInt()
        val last = ceil(maxOf(from, to) + radius + 1).toInt()
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
