package org.lenetedge.demo

import org.lenetedge.core.Opened
import org.lenetedge.core.Plan
import org.lenetedge.core.TensorEnd
import org.lenetedge.core.TensorType
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Delegate
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.PlanLength
import org.tensorflow.lite.Tensor
import java.nio.ByteBuffer

/** Returns what [make] makes, with [delegate] in it; closes all that was made if anything throws. */
internal fun opened(nodes: Int, delegate: Delegate?, make: () -> Interpreter): Opened {
    var interpreter: Interpreter? = null
    try {
        return LiteOpened(make().also { interpreter = it }, delegate, nodes)
    } catch (error: Throwable) {
        close(interpreter, delegate)
        throw error
    }
}

private class LiteOpened(private val interpreter: Interpreter, private val delegate: Delegate?, nodes: Int) :
    Opened {
    private var open = true

    override val input = end(interpreter.getInputTensor(0))
    override val output = end(interpreter.getOutputTensor(0))
    override val plan = Plan(nodes, PlanLength.of(interpreter))
    override val invokeNanos: Long? get() = interpreter.lastNativeInferenceDurationNanoseconds

    override fun run(picture: ByteBuffer, answer: ByteBuffer) = interpreter.run(picture, answer)

    override fun close() {
        if (!open) return
        open = false
        close(interpreter, delegate)
    }
}

/** Closes the interpreter first: it still calls its delegate while it is freed. */
private fun close(interpreter: Interpreter?, delegate: Delegate?) {
    try {
        interpreter?.close()
    } finally {
        delegate?.close()
    }
}

private fun end(tensor: Tensor): TensorEnd {
    val type = when (tensor.dataType()) {
        DataType.FLOAT32 -> TensorType.FLOAT32
        DataType.UINT8 -> TensorType.UINT8
        DataType.INT8 -> TensorType.INT8
        else -> throw IllegalArgumentException("expected FLOAT32, UINT8 or INT8, got ${tensor.dataType()}")
    }
    val quantised = tensor.quantizationParams()
    return TensorEnd(type, tensor.numElements(), quantised.scale, quantised.zeroPoint)
}
