package org.lenetedge.demo

import android.os.Build
import android.view.ViewGroup
import android.view.WindowInsets

/**
 * Keeps what is in [root] off the system's bars and the camera's hole, under which Android 15 and newer draw every app;
 * what scrolls is seen behind them.
 */
fun drawEdgeToEdge(root: ViewGroup) {
    if (Build.VERSION.SDK_INT < 30) return // there the system keeps the app off
    root.clipToPadding = false
    val (left, top, right, bottom) =
        listOf(root.paddingLeft, root.paddingTop, root.paddingRight, root.paddingBottom)
    root.setOnApplyWindowInsetsListener { view, insets ->
        val bars = insets.getInsets(WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout())
        view.setPadding(left + bars.left, top + bars.top, right + bars.right, bottom + bars.bottom)
        WindowInsets.CONSUMED
    }
}
