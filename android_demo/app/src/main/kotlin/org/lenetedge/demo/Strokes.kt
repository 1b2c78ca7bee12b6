package org.lenetedge.demo

import org.lenetedge.core.Drawing
import org.lenetedge.core.Point
import kotlin.math.abs

/** Points of all strokes together: 33 KB, far below the 500 KB or so that a saved state may have. */
const val MOST_POINTS = 4096

/** Points closer than this to the previous one, as a share of the canvas, add nothing. */
private const val NEAR = 1f / 512

/** The strokes of all fingers, in the order in which they were begun; [MOST_POINTS] in all at most. */
class Strokes {
    private val strokes = mutableListOf<MutableList<Point>>()
    private val held = mutableMapOf<Int, MutableList<Point>>()

    /** A copy of what is drawn now; later changes do not affect it. */
    val drawing: Drawing get() = Drawing(strokes.map { it.toList() })

    fun begin(finger: Int, point: Point) {
        val stroke = mutableListOf(point)
        strokes += stroke
        held[finger] = stroke
        bound()
    }

    /** Continues the stroke of [finger], if it is drawing one. */
    fun extend(finger: Int, point: Point) {
        val stroke = held[finger] ?: return
        val last = stroke.last()
        if (maxOf(abs(point.x - last.x), abs(point.y - last.y)) < NEAR) return
        stroke += point
        bound()
    }

    fun end(finger: Int) {
        held -= finger
    }

    /** Ends the strokes of all fingers. */
    fun endAll() = held.clear()

    /** Removes the stroke of [finger]: it was a palm, or the gesture went to another view. */
    fun cancel(finger: Int) {
        held.remove(finger)?.let { remove(it) }
    }

    fun cancelAll() = held.keys.toList().forEach { cancel(it) }

    /** Removes the stroke that was begun last. */
    fun undo() {
        strokes.lastOrNull()?.let { remove(it) }
    }

    fun clear() {
        strokes.clear()
        held.clear()
    }

    /** Returns for each stroke its count of points and their coordinates. */
    fun packed(): FloatArray = strokes
        .flatMap { stroke -> listOf(stroke.size.toFloat()) + stroke.flatMap { listOf(it.x, it.y) } }
        .toFloatArray()

    /** Replaces all strokes by what [packed] gave. */
    fun unpack(packed: FloatArray) {
        clear()
        val numbers = packed.iterator()
        while (numbers.hasNext()) {
            strokes += MutableList(numbers.next().toInt()) { Point(numbers.next(), numbers.next()) }
        }
    }

    /** Drops every second point if there are too many, and the oldest strokes if that is not enough. */
    private fun bound() {
        if (count() <= MOST_POINTS) return
        strokes.forEach { thin(it) }
        while (count() > MOST_POINTS) remove(strokes.first())
    }

    private fun count() = strokes.sumOf { it.size }

    private fun thin(stroke: MutableList<Point>) {
        val kept = stroke.filterIndexed { i, _ -> i % 2 == 0 || i == stroke.lastIndex }
        stroke.clear()
        stroke += kept
    }

    private fun remove(stroke: MutableList<Point>) {
        strokes.removeAll { it === stroke }
        held.values.removeAll { it === stroke }
    }
}
