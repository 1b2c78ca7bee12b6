package org.lenetedge.demo

import android.os.Build
import android.view.View
import android.view.WindowInsets

/** Keeps a view's content off the system's bars and the camera's hole: Android 15 draws the app under them. */
fun View.keepOffTheBars() {
    if (Build.VERSION.SDK_INT < 30) return // there the system keeps the app off
    val (left, top, right, bottom) = listOf(paddingLeft, paddingTop, paddingRight, paddingBottom)
    setOnApplyWindowInsetsListener { view, insets ->
        val bars = insets.getInsets(WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout())
        view.setPadding(left + bars.left, top + bars.top, right + bars.right, bottom + bars.bottom)
        WindowInsets.CONSUMED
    }
}
