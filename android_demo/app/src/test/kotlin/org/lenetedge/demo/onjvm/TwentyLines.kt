package org.lenetedge.demo.onjvm

import android.content.res.AssetManager
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.PlanLength
import org.tensorflow.lite.gpu.GpuDelegate
import org.tensorflow.lite.gpu.GpuDelegateFactory
import java.io.FileInputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import java.nio.channels.FileChannel.MapMode.READ_ONLY

// docs/android.md shows what is between the marks; a test compares.
// begin
fun mapped(assets: AssetManager, name: String): ByteBuffer = assets.openFd(name).use {
    FileInputStream(it.fileDescriptor).channel.map(READ_ONLY, it.startOffset, it.declaredLength)
}

/** Ten probabilities for 32x32 bytes from 0 (paper) to 255 (ink), and whether the GPU computed them all. */
fun read(model: ByteBuffer, picture: ByteArray, gpu: Boolean): Pair<FloatArray, Boolean> = try {
    val exact = GpuDelegateFactory.Options().setPrecisionLossAllowed(false)
    (if (gpu) GpuDelegate(exact) else null).use { delegate ->
        val options = Interpreter.Options().setUseXNNPACK(!gpu).apply { delegate?.let { addDelegate(it) } }
        Interpreter(model, options).use { it.probabilities(picture) to (gpu && PlanLength.of(it) == 1) }
    }
} catch (failed: RuntimeException) {
    if (gpu) read(model, picture, gpu = false) else throw failed
}

private fun Interpreter.probabilities(picture: ByteArray): FloatArray {
    val float = getInputTensor(0).dataType() == DataType.FLOAT32
    val pixels = FloatBuffer.wrap(FloatArray(picture.size) { (picture[it].toInt() and 255).toFloat() })
    val scores = ByteBuffer.allocate(getOutputTensor(0).numBytes()).order(ByteOrder.nativeOrder())
    run(if (float) pixels else ByteBuffer.wrap(picture), scores)
    return FloatArray(10) { if (float) scores.getFloat(4 * it) else (scores[it].toInt() and 255) / 256f }
}
// end
