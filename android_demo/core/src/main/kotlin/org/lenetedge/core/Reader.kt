package org.lenetedge.core

import java.nio.ByteBuffer

/** What the user chose: a [task], the [model] for one digit, the delegate that should run it, and CPU [threads]. */
data class Request(val model: Model, val delegate: Delegate, val threads: Int, val task: Task = Task.DIGIT)

/** A delegate, whether or not it was tried, and the reason why it does not run. */
data class Refusal(val delegate: Delegate, val reason: Reason)

/** What really runs: [used] runs [share] of the model; [refusals] are the delegates before it, the one asked for first. */
data class Opening(val request: Request, val used: Delegate, val share: Share, val refusals: List<Refusal>)

/** [scores] 0 to 1, also as the file stores them, and what they took in nanoseconds: handing over and fetching included, and not. */
class Reading(val scores: FloatArray, val stored: FloatArray, val nanos: Long, val invokeNanos: Long?)

/** Called before and after what may crash the whole app: native code of a delegate's driver. */
interface Watch {
    fun trying(delegate: Delegate)

    fun survived(delegate: Delegate)
}

/** Not even the interpreter's own kernels give an answer that can be trusted. */
class NoAnswer(val reason: Reason) : Exception("expected scores within the limits, got: $reason")

/**
 * Reads with [content], the file of [model], with the requested delegate or, if [decide] says so, the next one.
 *
 * Before a delegate is trusted it reads the model's golden inputs and has to keep their limits. Use it only on
 * one thread: a graphics delegate is bound to it. Throws [NoAnswer].
 */
class Reader(
    private val runtime: Runtime,
    private val content: ByteBuffer,
    val model: GoldenModel,
    private val request: Request,
    private val offer: Offer,
    private val watch: Watch,
) : AutoCloseable {
    private val refusals = mutableListOf<Refusal>()
    private var session: Session? = null

    /** What runs now. */
    lateinit var opening: Opening
        private set

    init {
        open(request.delegate)
    }

    /** The output, for callers that report scores as they are stored. */
    val output: TensorEnd get() = current().output

    /** Reads [pixels], unsigned bytes, as [store] takes them; a delegate that fails now falls back, and [opening] says so. */
    fun read(pixels: ByteArray): Reading {
        while (true) {
            val session = current()
            attempt({ return session.read(pixels) }) { why ->
                close()
                follow(opening.used, decide(opening.used, offer, Trial.RunFailed(why)))
            }
        }
    }

    /** Closes what is open; a second call does nothing. A delegate that fails even here is ignored. */
    override fun close() {
        runCatching { session.also { session = null }?.close() }
    }

    private fun current(): Session = session ?: error("expected an open reader, got a closed one")

    private fun open(delegate: Delegate) {
        val before = decide(delegate, offer, null)
        if (before == Decision.Try) watched(delegate) else follow(delegate, before)
    }

    private fun watched(delegate: Delegate) {
        watch.trying(delegate)
        val trial = tried(delegate)
        watch.survived(delegate)
        follow(delegate, decide(delegate, offer, trial))
    }

    private fun follow(delegate: Delegate, decision: Decision) {
        when (decision) {
            is Decision.Use -> opening = Opening(request, delegate, decision.share, refusals.toList())
            is Decision.FallBack -> {
                close()
                refusals += Refusal(delegate, decision.reason)
                open(decision.to)
            }
            is Decision.GiveUp -> {
                close()
                throw NoAnswer(decision.reason)
            }
            Decision.Try -> error("expected a decision, got none")
        }
    }

    private fun tried(delegate: Delegate): Trial {
        val opened = attempt({ Session(runtime.open(content, delegate, request.threads)) }) { why ->
            return Trial.NotCreated(why)
        }
        session = opened
        return attempt({ verdict(opened) }) { why -> Trial.RunFailed(why) }
    }

    private fun verdict(opened: Session): Trial {
        val verdict = model.judge(model.inputs.map { opened.read(it).stored })
        return when (verdict.outside) {
            0 -> Trial.Ran(opened.plan)
            else -> Trial.Deviates(opened.plan, verdict.outside, verdict.pictures)
        }
    }
}

/** An interpreter with its buffers. */
private class Session(private val opened: Opened) : AutoCloseable by opened {
    // Lazily: anything thrown while this is created would leave the interpreter open.
    val output: TensorEnd by lazy { opened.output }
    val plan: Plan get() = opened.plan
    private val input by lazy { opened.input.buffer() }
    private val answer by lazy { output.buffer() }

    fun read(pixels: ByteArray): Reading {
        val start = System.nanoTime()
        opened.input.store(pixels, input)
        answer.rewind()
        opened.run(input, answer)
        val stored = output.fetch(answer)
        val scores = output.real(stored)
        return Reading(scores, stored, System.nanoTime() - start, opened.invokeNanos)
    }
}

/** Returns the result of [work], or what [failed] makes of the reason why it failed. */
private inline fun <T> attempt(work: () -> T, failed: (String) -> T): T = try {
    work()
} catch (error: Exception) {
    failed(words(error))
} catch (error: LinkageError) { // a native library that is not in the app, or lacks a function
    failed(words(error))
}

private fun words(error: Throwable): String =
    error.message?.lineSequence()?.firstOrNull { it.isNotBlank() }?.trim() ?: error.javaClass.simpleName
