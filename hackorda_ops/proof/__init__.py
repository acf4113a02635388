"""What drills, exercises and looks at the provider's history share: checks, a notebook, and a verdict."""
