package org.lenetedge.core

import kotlin.math.ceil

/** Columns left empty on each side of a line. */
private const val SIDES = 6

/** Pixels of the drawn line for each pixel of the line. */
private const val FINE = 4

/** The widest line, in columns: some 200 digits. */
const val WIDEST = 1024

/** Of the height of the tallest figure: anything lower is a dot or a bar, and does not count for the size. */
private const val TALL = 0.5

/** Of the canvas's width: lower writing is dots, and is not enlarged to a digit's size. */
private const val SMALLEST = 0.03

/** Rows from a line's middle to the upper and the lower side of a digit's box. */
private const val HALF_BOX = 12.0

/** A rectangle on the canvas, in widths of the canvas. */
data class DigitBox(val left: Float, val top: Float, val right: Float, val bottom: Float)

/**
 * A line as the wide net reads it: [ink] of [FIELD] rows, its digits 20 rows tall around the middle. [left] and
 * [middle] are where its ink begins and its middle runs on the canvas, [scale] is columns per width of the canvas.
 */
class Line internal constructor(
    val ink: Ink,
    private val left: Double,
    private val middle: Double,
    private val scale: Double,
) {
    /** Returns where [digit], whose columns are those of [ink], is on the canvas. */
    fun boxOf(digit: ReadDigit): DigitBox {
        fun x(column: Double) = (left + (column - SIDES - PEN / 2) / scale).toFloat()
        fun y(row: Double) = (middle + row / scale).toFloat()
        return DigitBox(x(digit.left), y(-HALF_BOX), x(digit.right), y(HALF_BOX))
    }
}

/** Returns the line that was written on the canvas, at most [WIDEST] columns wide, or null without a stroke. */
fun lineOf(drawing: Drawing): Line? {
    val drawn = extentOf(drawing.strokes.flatten()) ?: return null
    val figures = figuresOf(drawing.strokes)
    val tallest = figures.maxOf { it.height }
    val tall = figures.filter { it.height >= TALL * tallest }
    val body = maxOf(median(tall.map { it.height }), SMALLEST)
    val most = (WIDEST - 2 * SIDES - PEN) / maxOf(drawn.width, SMALLEST)
    val scale = minOf((BOX - PEN) / body, most)
    val middle = median(tall.map { (it.top + it.bottom) / 2 })
    val width = ceil(drawn.width * scale + PEN).toInt() + 2 * SIDES
    val sheet = Sheet(width * FINE, FIELD * FINE, PEN * FINE / 2)
    sheet.draw(drawing.strokes) { point ->
        val column = (point.x - drawn.left) * scale + PEN / 2 + SIDES
        val row = (point.y - middle) * scale + FIELD / 2
        doubleArrayOf(column * FINE, row * FINE)
    }
    return Line(reduced(sheet.ink()), drawn.left, middle, scale)
}

/** Returns the extents of the figures from left to right: strokes that share columns are one figure. */
private fun figuresOf(strokes: List<List<Point>>): List<Extent> {
    val figures = mutableListOf<Extent>()
    for (one in strokes.mapNotNull { extentOf(it) }.sortedBy { it.left }) {
        val last = figures.lastOrNull()
        if (last == null || one.left > last.right) {
            figures += one
        } else {
            figures[figures.lastIndex] = Extent(
                last.left,
                minOf(last.top, one.top),
                maxOf(last.right, one.right),
                maxOf(last.bottom, one.bottom),
            )
        }
    }
    return figures
}

private fun median(values: List<Double>): Double {
    val sorted = values.sorted()
    return (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2
}

/** Returns the means of [FINE] x [FINE] pixels. */
private fun reduced(ink: Ink): Ink {
    val width = ink.width / FINE
    val area = FINE * FINE
    val values = ByteArray(FIELD * width) { place ->
        val (top, left) = FINE * (place / width) to FINE * (place % width)
        val sum = (0 until area).sumOf { ink[top + it / FINE, left + it % FINE] }
        ((2 * sum + area) / (2 * area)).toByte()
    }
    return Ink(width, FIELD, values)
}
