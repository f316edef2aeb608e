"""The lab's layer over moto: the EMR calls that moto lacks or answers otherwise than EMR, and the runners of steps and of SSM's commands.

    front.py     in front of moto's WSGI application: names every call, denies and throttles where told to
    names.py     which AWS call a request is
    errors.py    a refusal, as AWS words and encodes it
    checks.py    what EMR accepts as a step
    api.py       EMR calls about clusters
    api_steps.py EMR calls about steps
    cluster.py   one cluster: its state, its queue of steps
    life.py      what it does from STARTING to TERMINATED
    step.py      one step, as the API tells of it
    run.py       a step or a bootstrap action as a process of user hadoop
    scripts.py   which program a step's jar and arguments mean
    logs.py      the logs' way to S3
    ssm.py       calls of Systems Manager's Run Command
    command.py   one command of it, run on this node as root
    control.py   what `break` and `mend` change behind the API's back

Sources of fact: botocore's model of EMR (2009-03-31) for shapes and limits; the EMR Management Guide ('Work with steps',
'Cancel steps', 'Using termination protection', 'View log files') for behaviour.
"""
