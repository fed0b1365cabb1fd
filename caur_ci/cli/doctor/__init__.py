"""`caur-ci doctor`: what is missing or misconfigured, and what helps.

checks                          what is found, and how a look at something becomes a finding
repository, pipeline            the repository of PKGBUILDs here, and the pipeline that runs this
queue                           Redis, and who works for it
worker, database                this machine as a builder, and as the one that publishes
telling                         whom it tells what happens
command                         the command
"""
