import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.kotlin.jvm)
}

java {
    sourceCompatibility = JavaVersion.VERSION_1_8
    targetCompatibility = JavaVersion.VERSION_1_8
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_1_8
    }
}

dependencies {
    compileOnly(libs.json) // Android has its own.
    testImplementation(libs.json)
    testImplementation(libs.junit)
}

tasks.test {
    systemProperty("golden", rootDir.resolve("../lenet_edge/golden/golden.json").path)
    systemProperty("released", rootDir.resolve("../lenet_edge/released").path)
}
