package org.lenetedge.demo.onjvm

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.lenetedge.core.Delegate
import org.lenetedge.core.Model
import org.lenetedge.core.Reader
import org.lenetedge.core.Reason
import org.lenetedge.core.Request
import org.lenetedge.core.TensorEnd
import org.lenetedge.core.TensorType
import org.lenetedge.demo.LiteRuntime
import org.lenetedge.demo.gpuListed

class LiteRuntimeTest {
    private val runtime = LiteRuntime()
    private val picture = OnJvm.golden.pictures.first().pixels

    @Test
    fun `the version is the library's`() = assertTrue(runtime.version, runtime.version.startsWith("2."))

    @Test
    fun `a float model's ends are float`() =
        runtime.open(OnJvm.content(Model.FLOAT32), Delegate.NONE, 1).use {
            assertEquals(TensorEnd(TensorType.FLOAT32, 1024), it.input)
            assertEquals(TensorEnd(TensorType.FLOAT32, 10), it.output)
        }

    @Test
    fun `a quantised model's ends have a scale`() =
        runtime.open(OnJvm.content(Model.INT8_QAT), Delegate.NONE, 1).use {
            assertEquals(TensorEnd(TensorType.UINT8, 1024, 1f, 0), it.input)
            assertEquals(TensorEnd(TensorType.UINT8, 10, 1 / 256f, 0), it.output)
        }

    @Test
    fun `a run tells its time`() = runtime.open(OnJvm.content(Model.FLOAT32), Delegate.NONE, 1).use {
        assertEquals(null, it.invokeNanos)
        it.stored(picture)
        assertTrue(checkNotNull(it.invokeNanos) > 0)
    }

    @Test
    fun `two threads give what one gives`() {
        val scores = listOf(1, 2).map { threads ->
            runtime.open(OnJvm.content(Model.FLOAT32), Delegate.XNNPACK, threads).use { it.stored(picture) }
        }
        assertArrayEquals(scores[0], scores[1], 1e-6f)
    }

    @Test
    fun `an interpreter outlives another that is closed`() {
        val first = runtime.open(OnJvm.content(Model.FLOAT32), Delegate.XNNPACK, 1)
        runtime.open(OnJvm.content(Model.FLOAT32), Delegate.XNNPACK, 1).use { second ->
            val before = second.stored(picture)
            first.close()
            assertArrayEquals(before, second.stored(picture), 0f)
        }
    }

    @Test
    fun `NNAPI without a driver takes nothing and raises nothing`() =
        runtime.open(OnJvm.content(Model.FLOAT32), Delegate.NNAPI, 1).use {
            assertEquals(it.plan.nodes, it.plan.left)
        }

    @Test
    fun `NNAPI without a driver is not named`() = reader(Delegate.NNAPI).use {
        assertEquals(Delegate.XNNPACK, it.opening.used)
        assertEquals(listOf(Reason.TookNothing(16)), it.opening.refusals.map { refusal -> refusal.reason })
    }

    @Test
    fun `the GPU that is forced past the list runs all`() {
        OnJvm.needsGpu()
        reader(Delegate.GPU).use {
            assertEquals(Delegate.GPU, it.opening.used)
            assertEquals(it.opening.share.nodes, it.opening.share.taken)
        }
    }

    @Test
    fun `OpenGL in software is not on the list`() {
        OnJvm.needsGpu()
        assertFalse(gpuListed())
    }

    @Test
    fun `a truncated file is a sentence`() {
        val whole = OnJvm.content(Model.INT8_QAT)
        val sizes = listOf(0, 1, 8, 100) + (1..15).map { whole.capacity() * it / 16 } + (whole.capacity() - 1)
        for (size in sizes) {
            refused(ByteArray(size).also { whole.duplicate().get(it) })
        }
    }

    @Test
    fun `a file that is something else is a sentence`() {
        refused(ByteArray(5000))
        refused("a letter ".repeat(500).toByteArray())
    }

    /** TensorFlow Lite looks at the format alone; core's checked() lets no such file come so far. */
    @Test
    fun `damaged weights run, and the golden pictures tell`() {
        val damaged = OnJvm.content(Model.FLOAT32)
        for (place in damaged.capacity() / 2..damaged.capacity() / 2 + 20_000) damaged.put(place, 0)
        val stored = runtime.open(damaged, Delegate.XNNPACK, 1).use { opened ->
            OnJvm.golden.pictures.map { opened.stored(it.pixels) }
        }
        assertTrue(OnJvm.golden.of(Model.FLOAT32).judge(stored).outside > 0)
    }

    private fun refused(content: ByteArray) {
        val error = assertThrows(IllegalArgumentException::class.java) {
            runtime.open(OnJvm.direct(content), Delegate.NONE, 1)
        }
        assertTrue(error.message, checkNotNull(error.message).contains("not a valid TensorFlow Lite model"))
    }

    private fun reader(delegate: Delegate): Reader {
        val request = Request(Model.FLOAT32, delegate, threads = 1)
        val content = OnJvm.content(Model.FLOAT32)
        return Reader(
            runtime,
            content,
            OnJvm.golden.of(Model.FLOAT32),
            request,
            OnJvm.everything,
            OnJvm.unwatched,
        )
    }
}
