package org.lenetedge.demo

import android.os.Build
import org.lenetedge.core.Answer
import org.lenetedge.core.BadModel
import org.lenetedge.core.Check
import org.lenetedge.core.Delegate
import org.lenetedge.core.Drawing
import org.lenetedge.core.Latency
import org.lenetedge.core.Line
import org.lenetedge.core.LineReader
import org.lenetedge.core.NoAnswer
import org.lenetedge.core.Offer
import org.lenetedge.core.Reader
import org.lenetedge.core.Request
import org.lenetedge.core.Runtime
import org.lenetedge.core.Task
import org.lenetedge.core.check
import org.lenetedge.core.checked
import org.lenetedge.core.inkOf
import org.lenetedge.core.lineOf
import org.lenetedge.core.pictureOf

/** What a [Bench] works with; used only on the worker's thread. */
class Tools(
    val runtime: () -> Runtime,
    val files: AppFiles,
    val gpuListed: () -> Boolean,
    val marks: () -> Marks,
    val report: (Check, String) -> String,
)

/** Does the worker's work, all on one thread, and [tell]s each new state. */
class Bench(private val tools: Tools, private val tell: (State) -> Unit) : AutoCloseable {
    private val runtime by lazy(LazyThreadSafetyMode.NONE) { tools.runtime() }
    private val golden = GoldenFiles(tools.files)
    private val drawings = mutableMapOf<Task, Drawing>()
    private var request: Request? = null
    private var reader: Reader? = null
    private val preparing = Latency()
    private val inference = Latency()
    private var state = State()
        set(value) {
            field = value
            tell(value)
        }

    /** Opens what was requested in place of what is open, and reads the last drawing with it. */
    fun open(asked: Request, anew: Boolean) {
        close()
        val goesOn = request?.task == asked.task
        request = asked
        state = State(seen = if (goesOn) state.seen else null)
        if (anew) tools.marks().clear(asked.delegate)
        orTrouble {
            val opened = reader(asked)
            reader = opened
            state = state.copy(opening = opened.opening)
            readDrawing(asked.task)
        }
    }

    /** Reads what was [drawn], unless another task was chosen since; an empty drawing has no answer. */
    fun read(drawn: Drawn) {
        drawings[drawn.task] = drawn.drawing
        if (drawn.task == request?.task) readDrawing(drawn.task)
    }

    /** Checks what was requested last, for as long as it may [goOn]. */
    fun check(goOn: () -> Boolean) {
        val asked = request ?: return
        if (reader == null) return
        orTrouble {
            val done = check({ if (goOn()) reader(asked) else throw Abandoned() }) { loads ->
                state = state.copy(checking = loads)
            }
            val report = tools.report(done, runtime.version)
            state = state.copy(checking = null, checked = Checked(done, report))
        }
    }

    /** Closes what is open; a second call does nothing. */
    override fun close() {
        reader?.close()
        reader = null
        forgetTimes()
    }

    private fun readDrawing(task: Task) {
        val drawing = drawings[task] ?: Drawing(emptyList())
        when (task) {
            Task.DIGIT -> readPrepared({ inkOf(drawing)?.let { pictureOf(it) } }, ::digit)
            Task.LINE -> readPrepared({ lineOf(drawing) }, ::line)
        }
    }

    private fun <T : Any> readPrepared(prepare: () -> T?, read: (Reader, T) -> Seen) {
        val start = System.nanoTime()
        val prepared = prepare()
        val nanos = System.nanoTime() - start
        val reader = this.reader
        if (prepared == null || reader == null) {
            if (state.seen != null) state = state.copy(seen = null)
            return
        }
        orTrouble {
            val seen = read(reader, prepared)
            if (reader.opening != state.opening) forgetTimes()
            preparing.add(nanos)
            inference.add(seen.nanos)
            state = state.copy(opening = reader.opening, seen = seen, times = times())
        }
    }

    private fun digit(reader: Reader, picture: ByteArray): Seen {
        val reading = reader.read(picture)
        return Seen.Digit(picture, Answer(reading.scores, reader.model.unsureBelow), reading.nanos)
    }

    private fun line(reader: Reader, line: Line): Seen =
        Seen.Text(line, LineReader(reader, golden.strings).read(line.ink))

    private fun reader(asked: Request): Reader {
        val model = golden.of(asked)
        val content = checked(model, tools.files.content(model.file))
        val listed = asked.delegate == Delegate.GPU && tools.gpuListed()
        val offer = Offer(Build.VERSION.SDK_INT, listed, tools.marks().ended)
        return Reader(runtime, content, model, asked, offer, tools.marks())
    }

    private fun orTrouble(work: () -> Unit) {
        val trouble = try {
            return work()
        } catch (error: BadModel) {
            Trouble.BadFile(error.file, error.fault, others = request?.task == Task.DIGIT)
        } catch (error: NoAnswer) {
            Trouble.Untrusted(error.reason)
        } catch (_: IllegalArgumentException) {
            Trouble.GoldenDamaged
        } catch (_: Abandoned) {
            state = state.copy(checking = null)
            return
        }
        close()
        state = State(trouble = trouble)
    }

    private fun times(): Times? {
        val spread = inference.spread() ?: return null
        val inference95 = inference.percentile(0.95) ?: return null
        return Times(preparing.percentile(0.5) ?: return null, spread.p50, inference95, spread.samples)
    }

    private fun forgetTimes() {
        preparing.clear()
        inference.clear()
    }

    /** A check whose result is no longer wanted. */
    private class Abandoned : Exception()
}
