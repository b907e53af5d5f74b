"""The examination: filing, plans, the exam room, marking, oversight."""
