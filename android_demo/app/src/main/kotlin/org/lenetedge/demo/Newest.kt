package org.lenetedge.demo

/**
 * Passes the newest of many items to [work]: one at most is queued, a newer one takes its place, two starts are
 * [gap] nanoseconds apart at least, and the last item is always passed on.
 *
 * [now] is a clock in nanoseconds; [schedule] runs a task after so many nanoseconds, one after the other.
 */
class Newest<T : Any>(
    private val gap: Long,
    private val now: () -> Long,
    private val schedule: (Long, () -> Unit) -> Unit,
    private val work: (T) -> Unit,
) {
    private var queued: T? = null
    private var started = now() - gap

    @Synchronized
    fun offer(item: T) {
        val waiting = queued != null
        queued = item
        if (!waiting) schedule(maxOf(0, started + gap - now())) { work(take()) }
    }

    @Synchronized
    private fun take(): T {
        started = now()
        return checkNotNull(queued).also { queued = null }
    }
}
