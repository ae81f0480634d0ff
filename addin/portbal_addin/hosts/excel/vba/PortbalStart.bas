Attribute VB_Name = "PortbalStart"
Option Explicit

Private tries As Integer

' When the file opens. Excel describes functions only while a workbook is in view, which an
' add-in may precede: then once more a moment later.
Public Sub PortbalStarted()
    Dim wasSaved As Boolean
    wasSaved = ThisWorkbook.Saved
    tries = tries + 1
    If DescribeFunctions() Then
        ThisWorkbook.Saved = wasSaved
    ElseIf ThisWorkbook.IsAddin And tries < 5 Then
        Application.OnTime Now + TimeSerial(0, 0, 3), "'" & ThisWorkbook.Name & "'!PortbalStarted"
    End If
End Sub
