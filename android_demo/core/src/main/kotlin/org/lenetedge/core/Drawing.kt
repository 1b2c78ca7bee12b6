package org.lenetedge.core

import kotlin.math.ceil

/** A place on the canvas, in widths of the canvas from its left and its top; a finger may leave the canvas. */
data class Point(val x: Float, val y: Float)

/** Strokes of one or more points each, in the order in which they were begun. */
data class Drawing(val strokes: List<List<Point>>) {
    val isEmpty: Boolean get() = strokes.all { it.isEmpty() }
}

/** The pen's width in the picture's box of 20 pixels: in the middle of the range of MNIST's digits. */
internal const val PEN = 2.8

/** The side of the box that MNIST's digits fit, in pixels. */
internal const val BOX = 20

/** Pixels of ink per pixel of the picture: fine enough for means over areas to be smooth. */
private const val FINE = 6

/** Drawings smaller than this share of the canvas are a dot, and are not enlarged to a digit's size. */
private const val SMALLEST = 0.08

/** The corners of what the pen's middle touched, in widths of the canvas. */
internal class Extent(val left: Double, val top: Double, val right: Double, val bottom: Double) {
    val width get() = right - left
    val height get() = bottom - top
}

/** Returns the extent of [points], or null without any. */
internal fun extentOf(points: List<Point>): Extent? {
    if (points.isEmpty()) return null
    return Extent(
        points.minOf { it.x }.toDouble(),
        points.minOf { it.y }.toDouble(),
        points.maxOf { it.x }.toDouble(),
        points.maxOf { it.y }.toDouble(),
    )
}

/**
 * Returns the drawing as ink, its longer side 120 pixels, or null if it is empty.
 *
 * Relative to the drawing, the pen is as wide as MNIST's, however large the drawing and thick the line on the
 * screen: the net was trained on that, and strokes give the line's middle exactly.
 */
fun inkOf(drawing: Drawing): Ink? {
    val extent = extentOf(drawing.strokes.flatten()) ?: return null
    val scale = (BOX - PEN) * FINE / maxOf(extent.width, extent.height, SMALLEST)
    val radius = PEN * FINE / 2
    val edge = radius + 1
    fun side(length: Double) = ceil(length * scale + 2 * edge).toInt()
    val sheet = Sheet(side(extent.width), side(extent.height), radius)
    sheet.draw(drawing.strokes) { point ->
        doubleArrayOf((point.x - extent.left) * scale + edge, (point.y - extent.top) * scale + edge)
    }
    return sheet.ink()
}
