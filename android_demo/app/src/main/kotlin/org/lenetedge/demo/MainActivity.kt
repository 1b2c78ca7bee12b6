package org.lenetedge.demo

import android.app.Activity
import android.os.Bundle
import android.view.View
import android.widget.RadioGroup
import org.lenetedge.core.Delegate
import org.lenetedge.core.Model
import org.lenetedge.core.Request
import org.lenetedge.core.Task

/** The only screen: the drawing goes to the worker, and the worker's state goes to the [Screen]. */
class MainActivity : Activity() {
    private val app get() = application as DemoApplication
    private lateinit var worker: Worker
    private lateinit var screen: Screen
    private lateinit var canvas: DrawView
    private var state = State()

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.main)
        drawEdgeToEdge(view(R.id.root))
        screen = Screen(this)
        canvas = view(R.id.canvas)
        worker = lastNonConfigurationInstance as Worker? ?: newWorker()
        canvas.onDrawn = { worker.draw(it) }
        canvas.task = app.settings.request.task
        for (task in Task.entries) {
            savedInstanceState?.getFloatArray(strokes(task))?.let { canvas.unpack(task, it) }
        }
        offerChoices(app.settings.request)
        onClick(R.id.undo) { canvas.undo() }
        onClick(R.id.clear) { canvas.clear() }
        onClick(R.id.check) { worker.check() }
        onClick(R.id.share) { share() }
    }

    override fun onStart() {
        super.onStart()
        worker.listener = ::show
    }

    override fun onStop() {
        worker.listener = null
        super.onStop()
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        for (task in Task.entries) outState.putFloatArray(strokes(task), canvas.packed(task))
    }

    /** The worker stays alive while the screen is turned. */
    override fun onRetainNonConfigurationInstance(): Any = worker

    override fun onDestroy() {
        if (!isChangingConfigurations) worker.close()
        super.onDestroy()
    }

    private fun newWorker() = app.worker().also { it.choose(app.settings.request, anew = false) }

    private fun offerChoices(chosen: Request) {
        val words = Words(resources)
        view<RadioGroup>(R.id.tasks).offer(Task.entries, chosen.task, words::task) { task ->
            canvas.task = task
            choose { it.copy(task = task) }
        }
        view<RadioGroup>(R.id.models).offer(Model.entries, chosen.model, { it.label }) { model ->
            choose { it.copy(model = model) }
        }
        view<RadioGroup>(R.id.delegates).offer(Delegate.entries, chosen.delegate, words::delegate) { one ->
            choose { it.copy(delegate = one) }
        }
        view<RadioGroup>(R.id.threads).offer(THREADS, chosen.threads, words::digit) { threads ->
            choose { it.copy(threads = threads) }
        }
    }

    private fun choose(change: (Request) -> Request) {
        val request = change(app.settings.request)
        app.settings.request = request
        screen.show(state, request)
        worker.choose(request, anew = true)
    }

    private fun show(next: State) {
        state = next
        screen.show(next, app.settings.request)
    }

    private fun share() {
        state.checked?.let { startActivity(Results(this).shared(it)) }
    }

    private fun onClick(id: Int, work: () -> Unit) = view<View>(id).setOnClickListener { work() }

    private fun strokes(task: Task) = "strokes of $task"
}
