package org.lenetedge.demo

import org.lenetedge.core.Delegate
import org.tensorflow.lite.gpu.CompatibilityList
import org.tensorflow.lite.gpu.GpuDelegate
import org.tensorflow.lite.gpu.GpuDelegateFactory
import org.tensorflow.lite.nnapi.NnApiDelegate
import org.tensorflow.lite.Delegate as LiteDelegate

/**
 * Makes the object that stands for [delegate] in TensorFlow Lite; null for the interpreter's own kernels and
 * for XNNPACK, which is one of its options. Whoever gets it closes it, after the interpreter. Throws what
 * TensorFlow Lite throws, [LinkageError] where the app lacks the delegate's library.
 */
fun liteDelegate(delegate: Delegate): LiteDelegate? = when (delegate) {
    Delegate.NONE, Delegate.XNNPACK -> null
    // Without precision loss: else it computes in half precision, whose scores are beyond the golden limits.
    Delegate.GPU -> GpuDelegate(GpuDelegateFactory.Options().setPrecisionLossAllowed(false))
    Delegate.NNAPI -> NnApiDelegate()
}

/** Says whether TensorFlow Lite lists this device's GPU as compatible; no where it cannot even ask. */
fun gpuListed(): Boolean = try {
    CompatibilityList().use { it.isDelegateSupportedOnThisDevice }
} catch (_: LinkageError) {
    false
}
