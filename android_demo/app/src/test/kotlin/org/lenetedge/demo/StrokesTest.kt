package org.lenetedge.demo

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.lenetedge.core.Point

class StrokesTest {
    private val strokes = Strokes()

    @Test
    fun `each finger draws its own stroke`() {
        strokes.begin(0, Point(0f, 0f))
        strokes.begin(1, Point(1f, 0f))
        strokes.extend(0, Point(0f, 1f))
        strokes.extend(1, Point(1f, 1f))
        strokes.end(0)
        strokes.extend(0, Point(0.5f, 0.5f))
        assertEquals(
            listOf(listOf(Point(0f, 0f), Point(0f, 1f)), listOf(Point(1f, 0f), Point(1f, 1f))),
            strokes.drawing.strokes,
        )
    }

    @Test
    fun `a finger that is taken back takes its stroke along, and no other`() {
        strokes.begin(0, Point(0f, 0f))
        strokes.begin(1, Point(1f, 0f))
        strokes.cancel(1)
        strokes.extend(1, Point(1f, 1f))
        assertEquals(listOf(listOf(Point(0f, 0f))), strokes.drawing.strokes)
        strokes.cancelAll()
        assertTrue(strokes.drawing.isEmpty)
    }

    @Test
    fun `undo takes the last stroke back, even while it is drawn`() {
        strokes.begin(0, Point(0f, 0f))
        strokes.end(0)
        strokes.begin(0, Point(1f, 0f))
        strokes.undo()
        strokes.extend(0, Point(1f, 1f))
        assertEquals(listOf(listOf(Point(0f, 0f))), strokes.drawing.strokes)
        strokes.undo()
        strokes.undo()
        assertTrue(strokes.drawing.isEmpty)
    }

    @Test
    fun `a clear canvas stays clear although a finger still moves`() {
        strokes.begin(0, Point(0f, 0f))
        strokes.clear()
        strokes.extend(0, Point(1f, 1f))
        assertTrue(strokes.drawing.isEmpty)
    }

    @Test
    fun `a drawing that was given away stays as it is`() {
        strokes.begin(0, Point(0f, 0f))
        val before = strokes.drawing
        strokes.extend(0, Point(1f, 1f))
        assertEquals(1, before.strokes.single().size)
    }

    @Test
    fun `points that are no further than a pixel are left out`() {
        strokes.begin(0, Point(0f, 0f))
        strokes.extend(0, Point(0.001f, 0f))
        strokes.extend(0, Point(0.01f, 0f))
        assertEquals(listOf(Point(0f, 0f), Point(0.01f, 0f)), strokes.drawing.strokes.single())
    }

    @Test
    fun `packing keeps every stroke`() {
        strokes.begin(0, Point(0.1f, 0.2f))
        strokes.extend(0, Point(0.3f, 0.4f))
        strokes.begin(1, Point(0.5f, -0.25f))
        val other = Strokes().apply { unpack(strokes.packed()) }
        assertEquals(strokes.drawing, other.drawing)
    }

    @Test
    fun `a long scribble is thinned and keeps its ends`() {
        strokes.begin(0, Point(0f, 0f))
        for (i in 1..100_000) strokes.extend(0, Point(i % 2f, i / 100_000f))
        val points = strokes.drawing.strokes.single()
        assertTrue("got ${points.size} points", points.size in MOST_POINTS / 4..MOST_POINTS)
        assertEquals(Point(0f, 0f), points.first())
        assertEquals(1f, points.last().y, 1e-6f)
    }

    @Test
    fun `more dots than there is room for push the oldest out`() {
        for (i in 0..MOST_POINTS) {
            strokes.begin(0, Point(i.toFloat(), 0f))
            strokes.end(0)
        }
        assertEquals(MOST_POINTS, strokes.drawing.strokes.size)
        assertEquals(Point(MOST_POINTS.toFloat(), 0f), strokes.drawing.strokes.last().single())
        assertTrue("expected less than 100 KB", strokes.packed().size * 4 < 100_000)
    }
}
