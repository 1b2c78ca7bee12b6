package org.lenetedge.demo.onjvm

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test
import org.lenetedge.core.Delegate
import org.lenetedge.core.Model
import org.lenetedge.core.Opened
import org.lenetedge.demo.LiteRuntime
import org.lenetedge.demo.liteDelegate
import org.tensorflow.lite.Delegate as LiteDelegate

/** A delegate is closed once, after its interpreter, whatever fails. */
class ClosingTest {
    private val picture = OnJvm.golden.pictures.first().pixels
    private var opened: Opened? = null
    private val made = mutableListOf<Counted>()

    private fun runtime(delegate: () -> LiteDelegate?) =
        LiteRuntime { Counted(delegate()).also { made += it } }

    /** Counts how often it is closed, and how often too early. Without [lite] no interpreter can apply it. */
    private inner class Counted(private val lite: LiteDelegate?) : LiteDelegate {
        var closed = 0
        var early = 0

        override fun getNativeHandle(): Long = lite?.nativeHandle ?: 0

        override fun close() {
            closed++
            if (runCatching { opened?.stored(picture) }.getOrNull() != null) early++
            lite?.close()
        }
    }

    @Test
    fun `the interpreter first, and once`() {
        OnJvm.needsGpu()
        opened = runtime { liteDelegate(Delegate.GPU) }.open(OnJvm.content(Model.FLOAT32), Delegate.GPU, 1)
        opened?.stored(picture)
        repeat(2) { opened?.close() }
        assertEquals(listOf(1 to 0), made.map { it.closed to it.early })
    }

    @Test
    fun `a closed interpreter does not run`() {
        val closed = LiteRuntime().open(OnJvm.content(Model.FLOAT32), Delegate.NONE, 1).apply { close() }
        assertThrows(IllegalStateException::class.java) { closed.stored(picture) }
    }

    @Test
    fun `a delegate that cannot be applied is closed`() {
        assertThrows(IllegalArgumentException::class.java) {
            runtime { null }.open(OnJvm.content(Model.FLOAT32), Delegate.GPU, 1)
        }
        assertEquals(listOf(1), made.map { it.closed })
    }

    @Test
    fun `a file that is no model makes no delegate`() {
        assertThrows(IllegalArgumentException::class.java) {
            runtime { null }.open(OnJvm.direct(ByteArray(100)), Delegate.GPU, 1)
        }
        assertEquals(0, made.size)
    }
}
