Attribute VB_Name = "PortbalRibbon"
Option Explicit

' Every button of the ribbon calls this; its tag is the name of the command.
Public Sub PortbalCommand(control As IRibbonControl)
    PerformCommand control.Tag
End Sub

' The tab of a workbook with macros of its own is hidden where the add-in shows it.
Public Sub PortbalTabVisible(control As IRibbonControl, ByRef returnedVal)
    returnedVal = ThisWorkbook.IsAddin Or Not IsOpen("portbal.xlam")
End Sub

' Carry a command out in Python on the active workbook. Python shows its own results and
' problems; here only what kept Python from being reached is shown.
Public Sub PerformCommand(ByVal task As String)
    If Not IsCommandName(task) Then Exit Sub
    If ActiveWorkbook Is Nothing Then
        MsgBox "Open a workbook first.", vbInformation, "portbal"
        Exit Sub
    End If
    On Error GoTo failed
    Application.Cursor = xlWait
    Application.StatusBar = "portbal: " & CommandWords(task) & " ..."
    RunPython PythonCall(task)
    Application.Cursor = xlDefault
    Exit Sub
failed:
    Application.Cursor = xlDefault
    Application.StatusBar = False
    MsgBox FailureDialog(task, Err.Description), vbExclamation, "portbal"
End Sub

Private Function IsOpen(ByVal fileName As String) As Boolean
    Dim book As Workbook
    On Error Resume Next
    Set book = Workbooks(fileName)
    IsOpen = Not book Is Nothing
End Function
