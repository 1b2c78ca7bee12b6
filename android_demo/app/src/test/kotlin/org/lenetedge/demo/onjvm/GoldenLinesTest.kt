package org.lenetedge.demo.onjvm

import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.junit.runners.Parameterized
import org.junit.runners.Parameterized.Parameters
import org.lenetedge.core.Delegate
import org.lenetedge.core.LineReader
import org.lenetedge.core.Model
import org.lenetedge.core.Reader
import org.lenetedge.core.Request
import org.lenetedge.core.Task
import org.lenetedge.demo.LiteRuntime

/** The golden lines with every delegate that can run here: the reader's own check, then the strings that they are read as. */
@RunWith(Parameterized::class)
class GoldenLinesTest(private val delegate: Delegate) {
    private val golden = OnJvm.strings
    private val request = Request(Model.INT8_QAT, delegate, threads = 1, task = Task.LINE)

    private fun reader() = Reader(
        LiteRuntime(),
        OnJvm.content(golden.file),
        golden,
        request,
        OnJvm.everything,
        OnJvm.unwatched,
    )

    @Test
    fun `the golden lines are read`() {
        if (delegate == Delegate.GPU) OnJvm.needsGpu()
        reader().use { reader ->
            assertEquals(delegate, reader.opening.used)
            for (line in golden.lines) {
                val reading = LineReader(reader, golden).read(line.ink)
                assertEquals(line.name, line.read.text, reading.string.text)
                assertEquals(line.name, line.read.probability >= golden.unsureBelow, reading.sure)
            }
        }
    }

    companion object {
        @JvmStatic
        @Parameters(name = "{0}")
        fun cases(): List<Array<Any>> =
            listOf(Delegate.NONE, Delegate.XNNPACK, Delegate.GPU).map { arrayOf(it) }
    }
}
