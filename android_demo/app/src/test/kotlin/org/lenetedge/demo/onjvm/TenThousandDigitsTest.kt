package org.lenetedge.demo.onjvm

import org.junit.AfterClass
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.junit.runners.Parameterized
import org.junit.runners.Parameterized.Parameters
import org.lenetedge.core.Answer
import org.lenetedge.core.Answers
import org.lenetedge.core.Delegate
import org.lenetedge.core.Machine
import org.lenetedge.core.Model
import org.lenetedge.core.Pictures
import org.lenetedge.core.Reader
import org.lenetedge.core.Request
import org.lenetedge.core.ResultsJson
import org.lenetedge.demo.LiteRuntime
import java.io.File
import java.time.Instant
import java.time.temporal.ChronoUnit

/**
 * Reads MNIST's test digits as the app does, and writes the report that `lenet-edge parity --import` compares
 * with every other way to run the model.
 */
@RunWith(Parameterized::class)
class TenThousandDigitsTest(private val model: Model, private val delegate: Delegate) {
    @Test
    fun `the digits are read`() {
        if (delegate == Delegate.GPU) OnJvm.needsGpu()
        val pictures = digits.pictures.take(count())
        val read = open().use { answers(it, pictures) }
        ALL += read
        assertEquals(delegate, read.opening.used)
        assertTrue("${wrong(read)} of ${pictures.size} are wrong", wrong(read) <= pictures.size * MOST_WRONG)
    }

    /** OpenGL in software takes 10 ms a digit. */
    private fun count() = if (delegate == Delegate.GPU) 200 else 10_000

    private fun wrong(read: Answers) =
        read.stored.indices.count { Answer(read.stored[it], 0.0).digit != digits.labels[it] }

    private fun open() = Reader(
        LiteRuntime(),
        OnJvm.content(model),
        OnJvm.golden.of(model),
        Request(model, delegate, threads = 1),
        OnJvm.everything,
        OnJvm.unwatched,
    )

    private fun answers(reader: Reader, pictures: List<ByteArray>): Answers {
        val start = System.nanoTime()
        val stored = pictures.map { reader.read(it).stored }
        val seconds = (System.nanoTime() - start) / 1e9
        return Answers(reader.model, reader.opening, reader.output, Pictures.TEST_DIGITS, stored, seconds)
    }

    companion object {
        /** Every way to run every model errs on 0.5 % of the digits at most; padded by a pixel less it is twice that. */
        private const val MOST_WRONG = 0.006

        private val digits by lazy { Digits("t10k") }
        private val ALL = mutableListOf<Answers>()

        @JvmStatic
        @Parameters(name = "{0} {1}")
        fun cases(): List<Array<Any>> = Model.entries.flatMap { model ->
            listOf(Delegate.NONE, Delegate.XNNPACK, Delegate.GPU).map { arrayOf(model, it) }
        }

        /** After all of them, since it is one file. */
        @AfterClass
        @JvmStatic
        fun write() {
            val processor = File("/proc/cpuinfo").readLines().firstOrNull { it.startsWith("model name") }
            val machine = Machine(
                system = "Linux, the Android library on a JVM",
                architecture = System.getProperty("os.arch"),
                processor = processor?.substringAfter(": ").orEmpty(),
                processors = Runtime.getRuntime().availableProcessors(),
            )
            val report = ResultsJson(machine, LiteRuntime().version, "") { it.toString() }
            val file = File(System.getProperty("answers")).apply { parentFile.mkdirs() }
            val now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString()
            file.writeText("${report.of(now, emptyList(), ALL)}\n")
        }
    }
}
