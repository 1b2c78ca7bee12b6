package org.lenetedge.demo.onjvm

import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.junit.runners.Parameterized
import org.junit.runners.Parameterized.Parameters
import org.lenetedge.core.Delegate
import org.lenetedge.core.Model
import org.lenetedge.core.Opened
import org.lenetedge.demo.LiteRuntime

/** Every model's golden vectors with every delegate that can run here; the GPU is OpenGL ES in software. */
@RunWith(Parameterized::class)
class GoldenVectorsTest(private val model: Model, private val delegate: Delegate) {
    @Test
    fun `the scores are within the limits`() = opened { opened ->
        val stored = OnJvm.golden.pictures.map { opened.stored(it.pixels) }
        assertEquals(0, OnJvm.golden.of(model).judge(stored).outside)
    }

    @Test
    fun `the plan tells what the delegate took`() = opened {
        val nodes = it.plan.nodes
        val left = when {
            delegate == Delegate.NONE -> nodes
            // The conversions from and to the file's uint8, and one that scales, stay with the interpreter.
            delegate == Delegate.XNNPACK && model in QUANTISED -> 4
            else -> 1
        }
        assertEquals(left, it.plan.left)
        assertEquals(NODES.getValue(model), nodes)
    }

    private fun opened(test: (Opened) -> Unit) {
        if (delegate == Delegate.GPU) OnJvm.needsGpu()
        LiteRuntime().open(OnJvm.content(model), delegate, threads = 1).use(test)
    }

    companion object {
        private val QUANTISED = setOf(Model.INT8, Model.INT8_QAT)
        private val NODES =
            mapOf(Model.FLOAT32 to 16, Model.FLOAT16 to 29, Model.INT8 to 18, Model.INT8_QAT to 18)

        @JvmStatic
        @Parameters(name = "{0} {1}")
        fun cases(): List<Array<Any>> = Model.entries.flatMap { model ->
            listOf(Delegate.NONE, Delegate.XNNPACK, Delegate.GPU).map { arrayOf(model, it) }
        }
    }
}
