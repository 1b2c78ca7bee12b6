package org.lenetedge.demo

import android.os.Build
import org.lenetedge.core.Answer
import org.lenetedge.core.BadModel
import org.lenetedge.core.Check
import org.lenetedge.core.Delegate
import org.lenetedge.core.Drawing
import org.lenetedge.core.Golden
import org.lenetedge.core.Latency
import org.lenetedge.core.NoAnswer
import org.lenetedge.core.Offer
import org.lenetedge.core.Reader
import org.lenetedge.core.Request
import org.lenetedge.core.Runtime
import org.lenetedge.core.check
import org.lenetedge.core.checked
import org.lenetedge.core.inkOf
import org.lenetedge.core.pictureOf

/** What a [Bench] works with; used only on the worker's thread. */
class Tools(
    val runtime: () -> Runtime,
    val files: AppFiles,
    val gpuListed: () -> Boolean,
    val marks: () -> Marks,
    val report: (Check, Golden, String) -> String,
)

/** Does the worker's work, all on one thread, and [tell]s each new state. */
class Bench(private val tools: Tools, private val tell: (State) -> Unit) : AutoCloseable {
    private val runtime by lazy(LazyThreadSafetyMode.NONE) { tools.runtime() }
    private var golden: Golden? = null
    private var request: Request? = null
    private var reader: Reader? = null
    private var drawing = Drawing(emptyList())
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
        request = asked
        state = State(seen = state.seen)
        if (anew) tools.marks().clear(asked.delegate)
        orTrouble {
            val opened = reader(asked)
            reader = opened
            state = state.copy(opening = opened.opening)
            read(drawing)
        }
    }

    /** Reads [drawn]; an empty drawing has no answer. */
    fun read(drawn: Drawing) {
        drawing = drawn
        val start = System.nanoTime()
        val picture = inkOf(drawn)?.let { pictureOf(it) }
        val prepared = System.nanoTime() - start
        val reader = this.reader
        if (picture == null || reader == null) {
            if (state.seen != null) state = state.copy(seen = null)
            return
        }
        orTrouble { read(reader, picture, prepared) }
    }

    /** Checks what was requested last, for as long as it may [goOn]. */
    fun check(goOn: () -> Boolean) {
        val asked = request ?: return
        if (reader == null) return
        orTrouble {
            val done = check({ if (goOn()) reader(asked) else throw Abandoned() }, golden()) { loads ->
                state = state.copy(checking = loads)
            }
            val report = tools.report(done, golden(), runtime.version)
            state = state.copy(checking = null, checked = Checked(done, report))
        }
    }

    /** Closes what is open; a second call does nothing. */
    override fun close() {
        reader?.close()
        reader = null
        forgetTimes()
    }

    private fun read(reader: Reader, picture: ByteArray, prepared: Long) {
        val reading = reader.read(picture)
        if (reader.opening != state.opening) forgetTimes()
        preparing.add(prepared)
        inference.add(reading.nanos)
        val answer = Answer(reading.scores, golden().of(reader.opening.request.model).unsureBelow)
        state = state.copy(opening = reader.opening, seen = Seen(picture, answer), times = times())
    }

    private fun reader(asked: Request): Reader {
        val golden = golden()
        val content = checked(asked.model, tools.files.content(asked.model.file), golden)
        val listed = asked.delegate == Delegate.GPU && tools.gpuListed()
        val offer = Offer(Build.VERSION.SDK_INT, listed, tools.marks().ended)
        return Reader(runtime, content, golden, asked, offer, tools.marks())
    }

    private fun golden(): Golden = golden ?: parsedGolden().also { golden = it }

    private fun parsedGolden(): Golden {
        val content = requireNotNull(tools.files.content(GOLDEN)) { "expected $GOLDEN, got none" }
        return Golden.parse(Charsets.UTF_8.decode(content).toString())
    }

    private fun orTrouble(work: () -> Unit) {
        val trouble = try {
            return work()
        } catch (error: BadModel) {
            Trouble.BadFile(error.model, error.fault)
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

    private companion object {
        const val GOLDEN = "golden.json"
    }
}
