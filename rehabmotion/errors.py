"""The one error that is the user's to mend: a single line saying what was expected, what came, what to do."""


class UserError(ValueError):
    """Bad input. The message is one line: expected, got, remedy. The command line shows it and exits with 2."""

    def __init__(self, message: object) -> None:
        super().__init__(" ".join(str(message).splitlines()))  # what it quotes may hold line breaks
