package org.lenetedge.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Test
import java.security.MessageDigest

class PictureTest {
    @Test
    fun everyGoldenDrawingBecomesItsPicture() {
        val drawings = Fixtures.golden.drawings
        assertEquals(7, drawings.size)
        for (drawing in drawings) assertArrayEquals(drawing.name, drawing.pixels, pictureOf(drawing.ink))
    }

    /** tests/test_android_core.py makes the same scribbles in Python and asks for the same hash of their pictures. */
    @Test
    fun fiveHundredScribblesBecomePythonsPictures() {
        val random = Congruence(1998)
        val all = MessageDigest.getInstance("SHA-256")
        repeat(500) { all.update(pictureOf(scribble(random)) ?: ByteArray(0)) }
        assertEquals(SCRIBBLES, all.digest().joinToString("") { "%02x".format(it) })
    }

    @Test
    fun aBlankSheetHasNoPicture() = assertNull(pictureOf(Ink(5, 3, ByteArray(15))))

    @Test
    fun aSheetOfAnotherSizeIsRefused() {
        val error = assertThrows(IllegalArgumentException::class.java) { Ink(4, 4, ByteArray(15)) }
        assertEquals("expected 16 pixels, got 15", error.message)
        assertThrows(IllegalArgumentException::class.java) { Ink(0, 4, ByteArray(0)) }
        assertThrows(IllegalArgumentException::class.java) { Ink(4097, 1, ByteArray(4097)) }
    }

    @Test
    fun theLargestSheetDoesNotOverflow() {
        val picture = pictureOf(Ink(4096, 4096, ByteArray(4096 * 4096) { -1 }))
        assertEquals(400, picture!!.count { it == (-1).toByte() })
    }

    /** Blots on a sheet of some size; some sheets stay blank. */
    private fun scribble(random: Congruence): Ink {
        val width = 1 + random.next(90)
        val height = 1 + random.next(90)
        val values = ByteArray(width * height)
        repeat(random.next(40)) { values[random.next(width * height)] = random.next(256).toByte() }
        return Ink(width, height, values)
    }

    /** A generator that is one line in any language. */
    private class Congruence(private var state: Long) {
        fun next(below: Int): Int {
            state = (state * 1103515245 + 12345) and 0x7fffffff
            return ((state shr 8) % below).toInt()
        }
    }

    private companion object {
        const val SCRIBBLES = "7c83ca44c51528abc269079ea706fd9a64d86bb050eaaf654d79178a9ac08dd3"
    }
}
