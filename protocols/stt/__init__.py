"""Speech-to-text: one module per vendor, all giving :class:`protocols.stt.result.RecognitionResult`."""
