package org.lenetedge.demo

import org.lenetedge.core.Delegate
import org.tensorflow.lite.gpu.CompatibilityList
import org.tensorflow.lite.gpu.GpuDelegate
import org.tensorflow.lite.gpu.GpuDelegateFactory
import org.tensorflow.lite.nnapi.NnApiDelegate
import org.tensorflow.lite.Delegate as LiteDelegate

/**
 * Makes TensorFlow Lite's object for [delegate]; null for the interpreter's own kernels and
 * for XNNPACK, which is one of its options. The caller closes it, after the interpreter. Throws what
 * TensorFlow Lite throws, [LinkageError] where the app lacks the delegate's library.
 */
fun liteDelegate(delegate: Delegate): LiteDelegate? = when (delegate) {
    Delegate.NONE, Delegate.XNNPACK -> null
    // No precision loss: by default it computes in half precision, whose scores are beyond the golden limits.
    Delegate.GPU -> GpuDelegate(GpuDelegateFactory.Options().setPrecisionLossAllowed(false))
    Delegate.NNAPI -> NnApiDelegate()
}

/** Whether TensorFlow Lite lists this device's GPU as compatible; false if it cannot even be asked. */
fun gpuListed(): Boolean = try {
    CompatibilityList().use { it.isDelegateSupportedOnThisDevice }
} catch (_: LinkageError) {
    false
}
