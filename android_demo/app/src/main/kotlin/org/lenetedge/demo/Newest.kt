package org.lenetedge.demo

/**
 * Passes the newest of many items to [work]: at most one is queued, a newer one replaces it, two starts are
 * at least [gap] nanoseconds apart, and the last item is always passed on.
 *
 * [now] is a clock in nanoseconds; [schedule] runs a task after that many nanoseconds, one task at a time.
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
