package org.lenetedge.demo

import android.app.Application
import android.os.Handler
import android.os.Looper
import org.lenetedge.core.Runtime

/** Makes the worker; tests set their own [runtime] and [files]. */
open class DemoApplication : Application() {
    private val marks by lazy { Marks(getSharedPreferences("marks", MODE_PRIVATE)) }

    /** What the user chose. */
    val settings by lazy { Settings(getSharedPreferences("settings", MODE_PRIVATE)) }

    open fun runtime(): Runtime = LiteRuntime()

    open fun files(): AppFiles = AssetFiles(assets)

    /** Whether TensorFlow Lite's list says that the graphics processor is compatible. */
    open fun gpuListed(): Boolean = org.lenetedge.demo.gpuListed()

    /** Returns a new worker; the caller closes it. */
    fun worker(): Worker {
        val main = Handler(Looper.getMainLooper())
        val tools = Tools(::runtime, files(), ::gpuListed, { marks }, Results(this)::report)
        return Worker(tools) { main.post(it) }
    }
}
