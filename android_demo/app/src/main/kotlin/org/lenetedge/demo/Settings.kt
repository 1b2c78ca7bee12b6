package org.lenetedge.demo

import android.content.SharedPreferences
import org.lenetedge.core.Delegate
import org.lenetedge.core.Model
import org.lenetedge.core.Request
import org.lenetedge.core.Task

/** The numbers of threads on offer. */
val THREADS = listOf(1, 2, 4)

/** What the user chose, kept from one start of the app to the next. */
class Settings(private val kept: SharedPreferences) {
    var request: Request
        get() = Request(
            Model.entries.find { it.name == kept.getString(MODEL, null) } ?: Model.INT8_QAT,
            Delegate.entries.find { it.name == kept.getString(DELEGATE, null) } ?: Delegate.XNNPACK,
            kept.getInt(COUNT, 1).takeIf { it in THREADS } ?: 1,
            Task.entries.find { it.name == kept.getString(TASK, null) } ?: Task.DIGIT,
        )
        set(value) = kept.edit()
            .putString(MODEL, value.model.name)
            .putString(DELEGATE, value.delegate.name)
            .putInt(COUNT, value.threads)
            .putString(TASK, value.task.name)
            .apply()

    private companion object {
        const val MODEL = "model"
        const val DELEGATE = "delegate"
        const val COUNT = "threads"
        const val TASK = "task"
    }
}
