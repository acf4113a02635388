"""What is measured, each as a function that a process of its own runs: `python -m bench.variants NAME FOLDER`."""
