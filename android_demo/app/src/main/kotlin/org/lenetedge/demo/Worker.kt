package org.lenetedge.demo

import org.lenetedge.core.Request
import java.util.concurrent.Executors
import java.util.concurrent.ScheduledExecutorService
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger

/** A drawing is read at most once in this many nanoseconds. */
private const val GAP = 40_000_000L

/**
 * One thread that opens, reads and checks, and outlives the activity when the screen is turned. Used from the main
 * thread; [deliver] runs a task there.
 */
class Worker(tools: Tools, private val deliver: (() -> Unit) -> Unit) {
    private val thread: ScheduledExecutorService =
        Executors.newSingleThreadScheduledExecutor { Thread(it, "worker") }
    private val bench = Bench(tools) { state -> deliver { show(state) } }
    private val newest = Newest<Drawn>(GAP, System::nanoTime, ::schedule) { bench.read(it) }
    private val choices = AtomicInteger()
    private var state = State()

    /** Gets each new state while it is set, and the latest one at once. */
    var listener: ((State) -> Unit)? = null
        set(value) {
            field = value
            value?.invoke(state)
        }

    /** Opens what is requested; with [anew] even if it once crashed the app. A running check is abandoned. */
    fun choose(request: Request, anew: Boolean) {
        choices.incrementAndGet()
        schedule(0) { bench.open(request, anew) }
    }

    fun draw(drawn: Drawn) = newest.offer(drawn)

    fun check() {
        val choice = choices.get()
        schedule(0) { bench.check { choices.get() == choice } }
    }

    /** Closes what is open once the current work is done; call it once, as the last call. */
    fun close() {
        choices.incrementAndGet()
        schedule(0) { bench.close() }
        thread.shutdown()
    }

    /** A scheduled thread swallows what is thrown: here a mistake of ours must show. */
    private fun schedule(nanos: Long, task: () -> Unit) {
        val seen = Runnable {
            try {
                task()
            } catch (error: Throwable) {
                deliver { throw error }
            }
        }
        thread.schedule(seen, nanos, TimeUnit.NANOSECONDS)
    }

    private fun show(next: State) {
        state = next
        listener?.invoke(next)
    }
}
