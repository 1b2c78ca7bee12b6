package org.lenetedge.demo.onjvm

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test
import org.lenetedge.core.Model
import java.io.File
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.channels.FileChannel.MapMode.READ_ONLY

/** docs/android.md's 20 lines, with the Android library itself. */
class TwentyLinesTest {
    private val golden = OnJvm.golden

    private fun mapped(model: Model): ByteBuffer =
        RandomAccessFile(File(System.getProperty("released"), model.file), "r").use {
            it.channel.map(READ_ONLY, 0, it.length())
        }

    /** Reads the golden pictures, which must be within their limits, and returns how many the GPU read. */
    private fun byGpu(model: Model, gpu: Boolean): Int {
        val file = mapped(model)
        val unit = if (model.label.startsWith("int8")) 256 else 1
        val read = golden.pictures.map { read(file, it.pixels, gpu) }
        val verdict = golden.of(model).judge(read.map { (scores, _) -> FloatArray(10) { scores[it] * unit } })
        assertEquals(model.file, 0, verdict.outside)
        return read.count { (_, byGpu) -> byGpu }
    }

    @Test
    fun `every model reads the golden pictures on the processor`() {
        for (model in Model.entries) assertEquals(0, byGpu(model, gpu = false))
    }

    /** On a PC this is software OpenGL. */
    @Test
    fun `the graphics processor reads them too and is named`() {
        OnJvm.needsGpu()
        assertEquals(golden.pictures.size, byGpu(Model.FLOAT32, gpu = true))
        assertEquals(golden.pictures.size, byGpu(Model.INT8_QAT, gpu = true))
    }

    @Test
    fun `what is no model throws with and without a delegate`() {
        OnJvm.needsGpu()
        for (gpu in listOf(false, true)) {
            assertThrows(IllegalArgumentException::class.java) {
                read(ByteBuffer.allocateDirect(100), ByteArray(1024), gpu)
            }
        }
    }
}
