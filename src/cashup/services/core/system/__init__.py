"""How the program is doing: health, tasks, availability."""
