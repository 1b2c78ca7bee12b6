package org.lenetedge.demo

import android.content.SharedPreferences
import org.lenetedge.core.Delegate
import org.lenetedge.core.Watch
import java.util.concurrent.ConcurrentHashMap

/**
 * Remembers across starts which delegate was being tried: a driver's native code may crash the whole app,
 * and then the mark is still there at the next start. There is one for the whole app.
 */
class Marks(private val kept: SharedPreferences) : Watch {
    private val found: MutableSet<Delegate> = ConcurrentHashMap.newKeySet<Delegate>().also { found ->
        Delegate.entries.filterTo(found) { kept.contains(it.name) }
    }

    /** The delegates that crashed the app when they were tried. */
    val ended: Set<Delegate> get() = found.toSet()

    /** Writes to disk before it returns: later there may be no app left to do it. */
    override fun trying(delegate: Delegate) {
        kept.edit().putBoolean(delegate.name, true).commit()
    }

    override fun survived(delegate: Delegate) {
        kept.edit().remove(delegate.name).commit()
    }

    /** Forgets what [delegate] did, so that it is tried again. */
    fun clear(delegate: Delegate) {
        if (found.remove(delegate)) survived(delegate)
    }
}
