package org.lenetedge.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** Returns room for a tensor: a direct buffer in native order, which TensorFlow Lite reads without a copy. */
fun TensorEnd.buffer(): ByteBuffer =
    ByteBuffer.allocateDirect(count * type.bytes).order(ByteOrder.nativeOrder())

/**
 * Stores [pixels], unsigned bytes, in [into] as the input keeps them, and rewinds it. A model of 28 x 28 sees the
 * middle of a 32 x 32 picture.
 */
fun TensorEnd.store(pixels: ByteArray, into: ByteBuffer) {
    into.rewind()
    for (value in fitted(pixels)) {
        val pixel = value.toInt() and 0xff
        if (type == TensorType.FLOAT32) into.putFloat(pixel.toFloat()) else into.put(stored(pixel).toByte())
    }
    into.rewind()
}

/** Returns [pixels] if they are as many as the input takes, or else the middle of a picture. */
private fun TensorEnd.fitted(pixels: ByteArray): ByteArray {
    if (pixels.size == count) return pixels
    require(pixels.size == PICTURE * PICTURE) {
        "expected $count or ${PICTURE * PICTURE} pixels, got ${pixels.size}"
    }
    val side =
        (0..PICTURE).firstOrNull { it * it == count } ?: error("expected a square input, got $count values")
    val margin = (PICTURE - side) / 2
    return ByteArray(count) { pixels[(it / side + margin) * PICTURE + it % side + margin] }
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
