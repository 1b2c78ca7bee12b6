package org.lenetedge.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** Returns room for a tensor: a direct buffer in native order, which TensorFlow Lite reads without a copy. */
fun TensorEnd.buffer(): ByteBuffer =
    ByteBuffer.allocateDirect(count * type.bytes).order(ByteOrder.nativeOrder())

/**
 * Stores a picture's pixels, unsigned bytes, in [into] as the input keeps them, and rewinds it. A model of
 * 28 x 28 sees the middle of the 32 x 32 picture.
 */
fun TensorEnd.store(picture: ByteArray, into: ByteBuffer) {
    require(picture.size == PICTURE * PICTURE) { "expected ${PICTURE * PICTURE} pixels, got ${picture.size}" }
    val side =
        (0..PICTURE).firstOrNull { it * it == count } ?: error("expected a square input, got $count values")
    val margin = (PICTURE - side) / 2
    into.rewind()
    for (i in 0 until count) {
        val pixel = picture[(i / side + margin) * PICTURE + i % side + margin].toInt() and 0xff
        if (type == TensorType.FLOAT32) into.putFloat(pixel.toFloat()) else into.put(stored(pixel).toByte())
    }
    into.rewind()
}

/** Rounds half to even, as NumPy does. */
private fun TensorEnd.stored(pixel: Int): Int {
    if (scale == 0f) return pixel
    return (Math.rint((pixel / scale).toDouble()).toInt() + zeroPoint).coerceIn(type.least, type.most)
}

/** Returns what the output stores in [from], as numbers: floats, or integers if it is quantised. */
fun TensorEnd.fetch(from: ByteBuffer): FloatArray {
    from.rewind()
    return FloatArray(count) {
        when (type) {
            TensorType.FLOAT32 -> from.getFloat()
            TensorType.UINT8 -> (from.get().toInt() and 0xff).toFloat()
            TensorType.INT8 -> from.get().toFloat()
        }
    }
}

/** Returns the real values of what [fetch] gave. */
fun TensorEnd.real(stored: FloatArray): FloatArray =
    if (scale == 0f) stored else FloatArray(stored.size) { (stored[it] - zeroPoint) * scale }
