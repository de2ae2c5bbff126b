def draw_all():
    pass
