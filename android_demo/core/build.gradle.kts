import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.kotlin.jvm)
}

java {
    sourceCompatibility = JavaVersion.VERSION_11
    targetCompatibility = JavaVersion.VERSION_11
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_11
    }
}

dependencies {
    compileOnly(libs.json) // Android has its own.
    testImplementation(libs.json)
    testImplementation(libs.junit)
}

tasks.test {
    systemProperty("golden", rootDir.resolve("../lenet_edge/golden/golden.json").path)
    systemProperty("strings", rootDir.resolve("../lenet_edge/golden/strings.json").path)
    systemProperty("released", rootDir.resolve("../lenet_edge/released").path)
}
