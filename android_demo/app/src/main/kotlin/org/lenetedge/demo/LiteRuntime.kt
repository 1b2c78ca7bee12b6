package org.lenetedge.demo

import org.lenetedge.core.Delegate
import org.lenetedge.core.Opened
import org.lenetedge.core.Runtime
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.PlanLength
import org.tensorflow.lite.TensorFlowLite
import java.nio.ByteBuffer
import org.tensorflow.lite.Delegate as LiteDelegate

/**
 * TensorFlow Lite. [make] makes what an interpreter takes as a delegate; null if that is an option of the
 * interpreter, or for none. It uses no Android class, so that the tests can run it on a JVM.
 */
class LiteRuntime(private val make: (Delegate) -> LiteDelegate? = ::liteDelegate) : Runtime {
    override val version: String get() = TensorFlowLite.runtimeVersion()

    /**
     * Opens as [Runtime.open] promises. Throws [IllegalArgumentException] or [IllegalStateException] in
     * TensorFlow Lite's words when [model] is no model or the delegate fails, [LinkageError] without the
     * native library.
     */
    override fun open(model: ByteBuffer, delegate: Delegate, threads: Int): Opened {
        val nodes = nodes(model)
        val lite = make(delegate)
        return opened(nodes, lite) {
            val options = Interpreter.Options()
                .setNumThreads(threads)
                .setUseXNNPACK(delegate == Delegate.XNNPACK) // or else it takes what a delegate leaves
            Interpreter(model, if (lite == null) options else options.addDelegate(lite))
        }
    }

    /** A delegate never says how many nodes there were: an interpreter without a delegate does. */
    private fun nodes(model: ByteBuffer): Int =
        Interpreter(model, Interpreter.Options().setUseXNNPACK(false)).use { PlanLength.of(it) }
}
