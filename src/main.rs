fn main() -> std::process::ExitCode {
    longshore::commands::main()
}
