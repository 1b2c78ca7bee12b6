package org.lenetedge.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class TensorsTest {
    private val picture = ByteArray(PICTURE * PICTURE) { it.toByte() }

    private fun stored(end: TensorEnd): FloatArray = end.buffer().let {
        end.store(picture, it)
        end.fetch(it)
    }

    @Test
    fun rawPixelsAreWhatTheReleasedModelsStore() {
        val pixels = FloatArray(picture.size) { (it and 0xff).toFloat() }
        assertArrayEquals(pixels, stored(TensorEnd(TensorType.FLOAT32, 1024)), 0f)
        assertArrayEquals(pixels, stored(TensorEnd(TensorType.UINT8, 1024, 1f, 0)), 0f)
    }

    @Test
    fun otherScalesRoundHalfToEvenAndKeepTheirRange() {
        val stored = stored(TensorEnd(TensorType.INT8, 1024, 2f, -100))
        // 1 / 2 is half-way between 0 and 1, 3 / 2 between 1 and 2, 255 / 2 between 127 and 128.
        assertEquals(listOf(-100f, -100f, -99f, -98f, -98f), stored.take(5))
        assertEquals(28f, stored[255])
        assertEquals(127f, stored(TensorEnd(TensorType.INT8, 1024, 0.5f, -100))[255])
    }

    @Test
    fun aModelOf28SeesTheMiddle() {
        val stored = stored(TensorEnd(TensorType.FLOAT32, 28 * 28))
        assertEquals((2 * 32 + 2).toFloat(), stored[0])
        assertEquals(((29 * 32 + 29) and 0xff).toFloat(), stored.last())
    }

    @Test
    fun realValuesFollowFromScaleAndZeroPoint() {
        val end = TensorEnd(TensorType.INT8, 3, 0.5f, 10)
        assertArrayEquals(floatArrayOf(-69f, -5f, 58.5f), end.real(floatArrayOf(-128f, 0f, 127f)), 0f)
        assertArrayEquals(floatArrayOf(0.25f), TensorEnd(TensorType.FLOAT32, 1).real(floatArrayOf(0.25f)), 0f)
    }

    @Test
    fun anotherPictureOrInputIsRefused() {
        val end = TensorEnd(TensorType.FLOAT32, 1024)
        assertThrows(IllegalArgumentException::class.java) { end.store(ByteArray(784), end.buffer()) }
        val line = TensorEnd(TensorType.FLOAT32, 1000)
        assertThrows(IllegalStateException::class.java) { line.store(picture, line.buffer()) }
    }
}
