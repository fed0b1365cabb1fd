"""Beside a pipeline of the existing system: what would we have done, and where does it differ?"""
