package org.lenetedge.demo

import org.lenetedge.core.Golden
import org.lenetedge.core.GoldenModel
import org.lenetedge.core.GoldenStrings
import org.lenetedge.core.Request
import org.lenetedge.core.Task

/** The golden vectors packed with the app, read when they are needed; [IllegalArgumentException] if they are damaged. */
class GoldenFiles(private val files: AppFiles) {
    private val digits by lazy(LazyThreadSafetyMode.NONE) { Golden.parse(text("golden.json")) }

    /** What the net for lines must give. */
    val strings by lazy(LazyThreadSafetyMode.NONE) { GoldenStrings.parse(text("strings.json")) }

    /** Returns the model that [asked] is for. */
    fun of(asked: Request): GoldenModel = when (asked.task) {
        Task.DIGIT -> digits.of(asked.model)
        Task.LINE -> strings
    }

    private fun text(name: String): String {
        val content = requireNotNull(files.content(name)) { "expected $name, got none" }
        return Charsets.UTF_8.decode(content).toString()
    }
}
