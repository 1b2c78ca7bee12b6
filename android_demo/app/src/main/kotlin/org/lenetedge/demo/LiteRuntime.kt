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
 * TensorFlow Lite. [make] makes what an interpreter takes as a delegate, null for one that is a switch of the
 * interpreter or nothing. No Android class is here, so that the tests run it on a JVM.
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
                .setUseXNNPACK(delegate == Delegate.XNNPACK) // else it takes what a delegate leaves
            Interpreter(model, if (lite == null) options else options.addDelegate(lite))
        }
    }

    /** A delegate says nowhere of how many nodes it took some: an interpreter without one does. */
    private fun nodes(model: ByteBuffer): Int =
        Interpreter(model, Interpreter.Options().setUseXNNPACK(false)).use { PlanLength.of(it) }
}
