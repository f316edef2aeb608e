# asyncio.Task.all_tasks and .current_task are gone since Python 3.9: without them the hub does not end when it is told to.
s/asyncio\.Task\.\(all_tasks\|current_task\)()/asyncio.\1()/g
